-- Grain: one row a received file, under the next secret.
UPDATE register.raw_submission
SET submission_id = sha256($outer || unhex(sha256($inner || encode(submission_id))));
