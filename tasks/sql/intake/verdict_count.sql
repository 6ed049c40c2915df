-- Grain: one row a received file, sheet and verdict: how many rows.
SELECT submission_id, verdict, count(*)::INTEGER AS rows
FROM verdict_{sheet}
GROUP BY submission_id, verdict
ORDER BY submission_id, verdict;
