-- Grain: one row a campaign, state and problem: how many messages of the campaigns listed.
SELECT campaign, state, problem, count(*)::INTEGER AS messages
FROM ledger.out_message
WHERE list_contains($campaigns::VARCHAR[], campaign)
GROUP BY campaign, state, problem
ORDER BY campaign, state, problem NULLS FIRST;
