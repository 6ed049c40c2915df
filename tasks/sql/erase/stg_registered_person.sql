-- Grain: one row a row about the people of subject_registered in a file of the standing register, in all
-- its versions. The row stays accounted for (file, number, verdict); all it said is gone.
UPDATE register.stg_registered_person AS gone
SET
    is_current = false,
    row_key = NULL,
    alt_key = NULL,
    content_hash = NULL,
    first_received_at = NULL,
    register_no = NULL,
    full_name = NULL,
    sex = NULL,
    birth_date = NULL,
    resident_key = NULL,
    residence_village = NULL,
    registered_village = NULL,
    phone = NULL,
    consent_by = NULL,
    consent_date = NULL,
    consent_scope = NULL,
    diagnosis = NULL,
    confirmed_on = NULL,
    psychiatrist_licence = NULL,
    stability = NULL,
    last_visited_on = NULL
WHERE gone.register_no IN (SELECT register_no FROM subject_registered);
