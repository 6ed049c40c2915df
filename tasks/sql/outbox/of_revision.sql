-- Grain: one row a message of a revision.
SELECT recipient, state, problem
FROM ledger.out_message
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
ORDER BY recipient
