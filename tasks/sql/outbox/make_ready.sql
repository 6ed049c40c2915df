-- Grain: one row a message that waited for a mail server.
UPDATE ledger.out_message
SET state = 'ready', changed_at = $now
WHERE state = 'draft'
