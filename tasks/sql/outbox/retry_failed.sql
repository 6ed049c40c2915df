-- Grain: one row a message that certainly did not arrive.
UPDATE ledger.out_message
SET state = 'ready', problem = NULL, changed_at = $now
WHERE state = 'failed' AND campaign = $campaign
