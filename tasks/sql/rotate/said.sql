-- Grain: one row a row that was accepted or said again: both files under the next secret.
UPDATE register.reg_said SET
    submission_id = sha256($outer || unhex(sha256($inner || encode(submission_id)))),
    held_submission = sha256($outer || unhex(sha256($inner || encode(held_submission))));
