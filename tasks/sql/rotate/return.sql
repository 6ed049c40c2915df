-- Grain: one row a row that was sent back with a number; the number itself is on its way, and stays.
UPDATE register.reg_return
SET submission_id = sha256($outer || unhex(sha256($inner || encode(submission_id))));
