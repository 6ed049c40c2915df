-- Grain: one row a phase, round and later due day that a village of a campaign was given.
SELECT DISTINCT phase, round, due
FROM ledger.agg_extension
WHERE campaign = $campaign
ORDER BY phase, round, due;
