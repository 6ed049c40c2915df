-- Grain: one row a figure of a released revision, as the audience may see it, in the order of release.
SELECT name, unit, village, value, state
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
    AND audience = $audience
ORDER BY position, name, village
