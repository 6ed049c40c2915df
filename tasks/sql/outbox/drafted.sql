-- Grain: one row a recipient of a message that was drafted, whatever became of it.
SELECT recipient
FROM ledger.out_message
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
    AND kind = $kind
