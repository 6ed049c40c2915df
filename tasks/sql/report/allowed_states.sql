-- Grain: one row a reporting state of a revision: how many villages are in it.
SELECT state, count(*)::INTEGER AS villages
FROM ledger.agg_reporting
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
GROUP BY state
