-- Grain: one row a message that was stuck, as an officer decided on it.
UPDATE ledger.out_message
SET state = $state, problem = NULL, changed_at = $now
WHERE message_id IN (SELECT unnest($message_ids::VARCHAR[]))
