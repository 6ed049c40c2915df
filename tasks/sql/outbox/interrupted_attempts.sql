-- Grain: one row a try during which a process died.
UPDATE ledger.out_attempt AS tried
SET problem = 'interrupted'
FROM ledger.out_message AS message
WHERE message.message_id = tried.message_id AND message.state = 'sending'
    AND tried.attempt = (
        SELECT max(attempt) FROM ledger.out_attempt AS each WHERE each.message_id = tried.message_id
    )
