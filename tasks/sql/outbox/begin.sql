-- Grain: one try to hand a message over, about to be made.
INSERT INTO ledger.out_attempt BY NAME
SELECT $message_id AS message_id, $attempt AS attempt, $now AS tried_at
