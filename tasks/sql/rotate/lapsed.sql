-- Grain: one row a key of an erased referral row, under the next secret.
UPDATE register.reg_lapsed
SET row_key = sha256($outer || unhex(sha256($inner || encode(row_key))));
