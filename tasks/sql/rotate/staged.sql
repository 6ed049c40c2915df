-- Grain: one row a row of a received {sheet} sheet: its file under the next secret.
UPDATE register.stg_{sheet}
SET submission_id = sha256($outer || unhex(sha256($inner || encode(submission_id))));
