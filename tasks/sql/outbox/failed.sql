-- Grain: one row a message of a campaign that certainly did not arrive.
SELECT message_id
FROM ledger.out_message
WHERE state = 'failed' AND campaign = $campaign
ORDER BY message_id
