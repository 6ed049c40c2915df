-- Grain: one message: what became of it.
UPDATE ledger.out_message
SET state = $state, problem = $problem, changed_at = $now
WHERE message_id = $message_id
