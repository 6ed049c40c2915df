-- Grain: one row a phase, round and later last day: one that a village of a campaign was given, or
-- the last day of a reopening.
SELECT phase, round, due
FROM ledger.agg_extension
WHERE campaign = $campaign
UNION
SELECT phase, round, until
FROM ledger.agg_transition
WHERE campaign = $campaign AND until IS NOT NULL
ORDER BY phase, round, due;
