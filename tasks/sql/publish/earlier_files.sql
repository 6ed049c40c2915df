-- Grain: one row a village of an earlier revision: how many files had come from it by then.
SELECT revision, village, files
FROM ledger.agg_reporting
WHERE campaign = $campaign AND phase = $phase AND round = $round
ORDER BY revision, village;
