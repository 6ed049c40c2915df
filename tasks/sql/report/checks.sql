-- Grain: one row a suite run with a released revision: how many expectations held.
SELECT suite, expectations, held
FROM ledger.out_check
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
ORDER BY suite
