-- Grain: one row a person on the register with an ID number: its key under the next secret.
UPDATE register.reg_registered
SET resident_key = sha256($outer || unhex(sha256($inner || encode(resident_key))))
WHERE resident_key IS NOT NULL;
