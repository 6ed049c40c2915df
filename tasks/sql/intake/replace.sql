-- Grain: one row a current row that an accepted correction replaces.
UPDATE register.stg_{sheet} AS stored
SET is_current = false
FROM verdict_{sheet} AS verdict
WHERE verdict.verdict = 'accepted'
    AND stored.submission_id = verdict.old_submission
    AND stored.row_number = verdict.old_row;
