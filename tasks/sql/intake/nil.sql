-- Grain: one row a received file with an accepted (or already accepted) nil return.
SELECT DISTINCT submission_id
FROM staged_coverage
JOIN verdict_coverage USING (submission_id, row_number)
WHERE verdict_coverage.verdict IN ('accepted', 'unchanged') AND staged_coverage.typed.nil_return;
