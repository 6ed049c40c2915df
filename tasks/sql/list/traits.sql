-- Grain: one row a record, a referral or a registered person: what list/pairs.sql joins on, as hashes,
-- which take little memory; null where it is not known. who: the record itself.
CREATE OR REPLACE TEMP TABLE list_trait AS
SELECT
    hash(registered, ref) AS who,
    CASE WHEN resident_key IS NOT NULL THEN hash(resident_key) END AS key,
    hash(full_name, birth_date) AS name_birth,
    CASE WHEN phone IS NOT NULL THEN hash(phone, birth_date, sex) END AS phone_birth,
    CASE WHEN phone IS NOT NULL THEN hash(full_name, phone) END AS name_phone
FROM list_record;
