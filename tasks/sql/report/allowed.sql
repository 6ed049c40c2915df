-- Grain: one row a figure of a revision and of the one before it: what a report may say at all.
-- Read by the gate for itself; the summary reads its own (report/figures).
SELECT revision, name, unit, village, value, state
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = $phase AND round = $round AND audience = $audience
    AND revision BETWEEN $revision - 1 AND $revision
