-- Grain: one try to hand a message over: what came of it, and when the next is made.
UPDATE ledger.out_attempt
SET problem = $problem, retry_at = $retry_at
WHERE message_id = $message_id AND attempt = $attempt
