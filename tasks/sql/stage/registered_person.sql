-- Grain: one row a row of a received registered_person sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_registered_person AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_registered_person
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.campaign,
        arrived.received_at::DATE AS received_on,
        person_name(full_name) AS name,
        to_choice('sex', sex) AS sex_value,
        to_date(birth_date) AS born,
        upper(resident_id) AS id_number,
        to_code(residence_village) AS residence,
        to_code(registered_village) AS registered,
        phone_number(phone) AS phone_value,
        consent_given(consent_by, consent_date, consent_scope) AS has_consent,
        to_choice('consent_by', consent_by) AS consenting,
        to_date(consent_date) AS consented_on,
        to_choice('consent_scope', consent_scope) AS scope,
        to_choice('diagnosis', diagnosis) AS diagnosed,
        to_date(confirmed_on) AS confirmed_day,
        to_choice('stability', stability) AS stability_value,
        to_date(last_visited_on) AS last_visit
    FROM cleaned JOIN arrived USING (submission_id)
),
keyed_rows AS (
    SELECT
        *,
        id_check(id_number) AS id_holds,
        CASE WHEN id_check(id_number) THEN keyed('id:' || id_number) END AS resident_key
    FROM parsed
),
compared AS (
    SELECT
        keyed_rows.*,
        -- without two ID numbers to compare, name and birth date tell
        known.enrolled AND NOT coalesce(
            known.resident_key = keyed_rows.resident_key,
            known.full_name = name AND known.birth_date = born) AS is_taken
    FROM keyed_rows
    LEFT JOIN ref_registered AS known USING (register_no)
),
typed AS (
    SELECT
        *,
        {
            'register_no': register_no,
            'full_name': name,
            'sex': sex_value,
            'birth_date': born,
            'resident_key': resident_key,
            'residence_village': residence,
            'registered_village': registered,
            'phone': phone_value,
            'consent_by': consenting,
            'consent_date': consented_on,
            'consent_scope': scope,
            'diagnosis': diagnosed,
            'confirmed_on': confirmed_day,
            'psychiatrist_licence': psychiatrist_licence,
            'stability': stability_value,
            'last_visited_on': last_visit
        } AS typed
    FROM compared
),
judged AS (
    SELECT
        *,
        {
            'consent_by_valid': consenting IS NOT NULL,
            'consent_date_valid': coalesce(consented_on <= received_on, false),
            'consent_covers_management': coalesce(scope = 'assessment_and_management', false),
            -- a number given here after an assessment is not another person's
            'register_no_valid': coalesce(
                regexp_full_match(register_no, '[0-9A-Za-z][0-9A-Za-z-]{2,31}'), false)
                AND NOT coalesce(is_taken, false),
            'full_name_valid': coalesce(name_check(name), false),
            'sex_valid': sex_value IS NOT NULL,
            'birth_date_valid': coalesce(born BETWEEN DATE '1900-01-01' AND received_on, false),
            'resident_id_whole': id_whole(id_number),
            'resident_id_valid': NOT id_whole(id_number) OR blank_or(id_number, id_holds),
            'resident_id_agrees': NOT id_holds OR id_agrees(id_number, born, sex_value),
            'residence_village_valid': residence IS NOT NULL,
            'registered_village_valid': blank_or(registered_village, registered IS NOT NULL),
            'village_in_township': residence IS NULL
                OR (registered_village IS NOT NULL AND registered IS NULL)
                OR in_township(campaign, residence) OR in_township(campaign, registered),
            'phone_valid': blank_or(phone, phone_check(phone)),
            'diagnosis_valid': diagnosed IS NOT NULL,
            'confirmed_on_valid': coalesce(
                confirmed_day BETWEEN coalesce(born, confirmed_day) AND received_on, false),
            'psychiatrist_licence_valid': coalesce(licence_check(psychiatrist_licence), false),
            'stability_valid': blank_or(stability, stability_value IS NOT NULL),
            'last_visited_on_valid': blank_or(
                last_visited_on,
                last_visit BETWEEN coalesce(confirmed_day, last_visit) AND received_on)
        } AS rules
    FROM typed
)
SELECT
    submission_id,
    row_number,
    has_consent,
    typed.register_no AS row_key,
    NULL::VARCHAR AS alt_key,
    -- with the number, not its key: a rotation puts a hash around it, whatever was corrected since
    keyed('said:' || struct_values(struct_update(typed, resident_key := id_number))::VARCHAR) AS content_hash,
    CASE WHEN has_consent THEN failed_rules(rules) ELSE [] END AS failed_rules,
    typed,
    CASE WHEN has_consent THEN rules END AS rules
FROM judged;
