-- Grain: one row a file that was already taken in, with when it came.
SELECT submission_id, received_at
FROM register.raw_submission
WHERE submission_id IN (SELECT unnest($ids));
