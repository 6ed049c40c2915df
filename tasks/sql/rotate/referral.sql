-- Grain: one row a referral row with a key: its keys under the next secret.
UPDATE register.stg_referral SET
    row_key = sha256($outer || unhex(sha256($inner || encode(row_key)))),
    alt_key = sha256($outer || unhex(sha256($inner || encode(alt_key)))),
    resident_key = sha256($outer || unhex(sha256($inner || encode(resident_key))))
WHERE row_key IS NOT NULL;
