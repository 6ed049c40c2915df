-- Grain: one row a person of the health centre's standing register, as it was sent last: several
-- campaigns take the same register in.
INSERT OR REPLACE INTO register.reg_registered BY NAME
SELECT
    register_no, full_name, sex, birth_date, resident_key, residence_village, registered_village,
    phone, diagnosis, confirmed_on, psychiatrist_licence, stability, last_visited_on,
    'import' AS source
FROM register.stg_registered_person
WHERE is_current
QUALIFY row_number() OVER (
    PARTITION BY register_no ORDER BY received_at DESC, submission_id, row_number) = 1;
