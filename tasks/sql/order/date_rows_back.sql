-- Grain: one row a row of a {sheet} sheet of a file that came earlier than it was known to: its time.
UPDATE register.stg_{sheet} AS stored
SET received_at = again.received_at
FROM came_earlier AS again
WHERE stored.submission_id = again.submission_id;
