-- Grain: one row a rectification that concerns a month's supervision: open on its as_of, or closed by
-- that month's look. What happened after as_of is left out, so that an old report stays what it was.
SELECT
    village,
    shortfall,
    opened_on,
    due,
    due_provisional,
    CASE WHEN closed_on <= $as_of THEN closed_on END AS closed_on
FROM ledger.agg_rectification
WHERE campaign = $campaign
    AND opened_on <= $as_of
    AND opened_round <= $round
    AND (closed_on IS NULL OR closed_on > $as_of OR closed_round = $round)
ORDER BY due, village, shortfall
