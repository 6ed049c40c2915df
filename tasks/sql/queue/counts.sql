-- Grain: one row a state of the queue: how many people, for the health side.
SELECT state, count(*)::INTEGER AS people
FROM register.reg_queue
WHERE campaign = $campaign
GROUP BY state;
