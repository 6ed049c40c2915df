-- Grain: one row a rectification that one of $villages still owes, of those opened in $round: open, and
-- no evidence of it waits for the supervisor's decision.
SELECT village, shortfall
FROM ledger.agg_rectification AS owed
WHERE campaign = $campaign AND opened_round = $round AND closed_on IS NULL
    AND list_contains($villages, village)
    AND coalesce((
        SELECT arg_max(taken.step, taken.position)
        FROM ledger.agg_rectification_step AS taken
        WHERE taken.campaign = owed.campaign AND taken.village = owed.village
            AND taken.shortfall = owed.shortfall AND taken.opened_round = owed.opened_round
    ), '') <> 'evidence';
