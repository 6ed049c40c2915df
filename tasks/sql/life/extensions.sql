-- Grain: one row a phase, round and later due day of one village or several.
SELECT DISTINCT phase, round, due
FROM ledger.agg_extension
WHERE campaign = $campaign
ORDER BY phase, round, due;
