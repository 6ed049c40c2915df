-- Grain: one row a row of a {sheet} sheet that stands from this step on.
UPDATE register.stg_{sheet} AS stored
SET is_current = true, first_received_at = verdict.first_said
FROM verdict_{sheet} AS verdict
JOIN late_{sheet} AS late USING (submission_id, row_number)
WHERE verdict.verdict = 'accepted'
    AND stored.submission_id = late.held_submission
    AND stored.row_number = late.held_row;
