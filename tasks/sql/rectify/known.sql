-- Grain: one row a rectification of the campaign, of any month.
SELECT
    village, shortfall, opened_round, opened_on, due, due_provisional, closed_round, closed_on
FROM ledger.agg_rectification
WHERE campaign = $campaign
ORDER BY village, shortfall, opened_round;
