-- Grain: one row a township figure of a released revision of any campaign, in the order of release.
-- Those of a village stay in the township.
SELECT campaign, phase, round, revision, name, unit, village, value, state
FROM ledger.out_figure
WHERE audience = 'office' AND village = ''
ORDER BY campaign, phase, round, revision, position, name;
