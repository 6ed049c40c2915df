-- Grain: one row a thing to do of a village's supervision sheet, the weightiest first.
SELECT village, action
FROM ledger.agg_action
WHERE campaign = $campaign AND round = $round AND revision = $revision
ORDER BY village, position
