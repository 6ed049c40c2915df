-- Grain: one row a row rule: how many rows of the suite break it, by their own failed_rules.
SELECT rule, count(*)::INTEGER AS broken
FROM (SELECT unnest(failed_rules) AS rule FROM check_stg_{sheet})
GROUP BY rule
ORDER BY rule;
