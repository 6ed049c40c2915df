-- Grain: one row a message that was being handed over when a process died: whether it arrived cannot
-- be known, so it is never sent again by itself.
UPDATE ledger.out_message
SET state = 'unknown', problem = 'interrupted', changed_at = $now
WHERE state = 'sending'
