-- Grain: one row a file that was already taken in.
SELECT submission_id FROM register.raw_submission WHERE submission_id IN (SELECT unnest($ids));
