-- Grain: one row a village of a released revision: its one reporting state.
SELECT village, state, nil
FROM ledger.agg_reporting
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
ORDER BY village
