-- Grain: one row a row of a sender out of order: none of them stands until its turn comes.
UPDATE register.stg_{sheet} AS stored
SET is_current = false
FROM late_{sheet} AS late
WHERE stored.submission_id = late.held_submission AND stored.row_number = late.held_row;
