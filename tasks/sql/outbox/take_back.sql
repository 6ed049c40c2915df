-- Grain: one message that no server took and that nobody needs any more.
DELETE FROM ledger.out_message
WHERE message_id = $message_id AND state = 'ready'
