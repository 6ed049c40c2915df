-- Grain: one row a row of the standing register that holds something: the key of its ID number and its
-- content under the next secret.
UPDATE register.stg_registered_person SET
    resident_key = sha256($outer || unhex(sha256($inner || encode(resident_key)))),
    content_hash = sha256($outer || unhex(sha256($inner || encode(content_hash))))
WHERE row_key IS NOT NULL;
