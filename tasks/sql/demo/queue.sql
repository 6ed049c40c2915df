-- Grain: one row a person of the queue.
SELECT person_ref, state
FROM register.reg_queue
WHERE campaign = $campaign
ORDER BY person_ref;
