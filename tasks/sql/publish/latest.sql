-- Grain: one row, the newest revision of a phase and round, if any.
SELECT revision, content
FROM ledger.out_revision
WHERE campaign = $campaign AND phase = $phase AND round = $round
ORDER BY revision DESC
LIMIT 1;
