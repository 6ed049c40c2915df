-- Grain: one row a rectification of a campaign, the longest due first.
SELECT village, shortfall, opened_on, due, closed_on
FROM ledger.agg_rectification
WHERE campaign = $campaign
ORDER BY due, village, shortfall;
