-- Grain: one row a village of a revision: its reporting state, as the gate reads it for itself.
SELECT village, state
FROM ledger.agg_reporting
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
