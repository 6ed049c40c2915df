-- Grain: one row a file that came again, and the first time earlier than it was known to: its time.
UPDATE register.raw_submission AS file
SET received_at = again.received_at
FROM came_earlier AS again
WHERE file.submission_id = again.submission_id;
