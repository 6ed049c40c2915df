-- Grain: one row a person of the queue as it was last written.
DELETE FROM register.reg_queue
WHERE campaign = $campaign;
