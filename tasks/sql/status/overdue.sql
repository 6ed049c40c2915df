-- Grain: one row a rectification that is open although its due day is over.
SELECT village, shortfall, due
FROM ledger.agg_rectification
WHERE campaign = $campaign AND closed_on IS NULL AND due < $today
ORDER BY due, village, shortfall;
