-- Grain: one row a row read of a received file: its file under the next secret.
UPDATE register.raw_row
SET submission_id = sha256($outer || unhex(sha256($inner || encode(submission_id))));
