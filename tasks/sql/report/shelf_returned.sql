-- Grain: one row a figure of a released revision, of any campaign, that counts rows sent back.
SELECT campaign, phase, round, revision, name, unit, village, value, state
FROM ledger.out_figure
WHERE audience = $audience AND starts_with(name, 'returned_') AND village = ''
ORDER BY campaign, phase, round, revision, position, name;
