-- Grain: one row a state: how many messages are in it.
SELECT state, count(*)::INTEGER AS messages
FROM ledger.out_message
GROUP BY state
