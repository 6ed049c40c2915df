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
        -- spaces that are typed between the characters of a Chinese name are not part of it
        if(regexp_full_match(full_name, '[\p{Han} ]+'), replace(full_name, ' ', ''), full_name)
            AS name,
        to_choice('sex', sex) AS sex_value,
        to_date(birth_date) AS born,
        upper(resident_id) AS id_number,
        to_code(residence_village) AS residence,
        to_code(registered_village) AS registered,
        phone_number(phone) AS phone_value,
        to_choice('consent_by', consent_by) AS consenting,
        to_date(consent_date) AS consented_on,
        to_choice('consent_scope', consent_scope) AS scope,
        to_choice('diagnosis', diagnosis) AS diagnosed,
        to_date(confirmed_on) AS confirmed_day,
        to_choice('stability', stability) AS stability_value,
        to_date(last_visited_on) AS last_visit
    FROM cleaned JOIN arrived USING (submission_id)
),
checked AS (
    SELECT
        *,
        -- Excel keeps 15 digits of a number; what it made of an ID cannot be guessed back
        id_number IS NULL OR NOT regexp_full_match(id_number, '\d(\.\d+)?E\+?\d+|\d{15}000')
            AS id_whole,
        coalesce(id_check(id_number), false) AS id_holds,
        EXISTS (FROM ref_village WHERE ref_village.campaign = parsed.campaign
                AND ref_village.code IN (parsed.residence, parsed.registered)) AS in_township
    FROM parsed
),
keyed_rows AS (
    SELECT
        *,
        CASE WHEN id_holds THEN keyed('id:' || id_number) END AS resident_key,
        keyed('nbs:' || name || '|' || born || '|' || sex_value) AS name_key
    FROM checked
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
    FROM keyed_rows
),
judged AS (
    SELECT
        *,
        {
            'consent_by_valid': consenting IS NOT NULL,
            'consent_date_valid': coalesce(consented_on <= received_on, false),
            'consent_covers_management': coalesce(scope = 'assessment_and_management', false),
            'register_no_valid': coalesce(
                regexp_full_match(register_no, '[0-9A-Za-z][0-9A-Za-z-]{2,31}'), false),
            'full_name_valid': coalesce(name_check(name), false),
            'sex_valid': sex_value IS NOT NULL,
            'birth_date_valid': coalesce(born BETWEEN DATE '1900-01-01' AND received_on, false),
            'resident_id_whole': id_whole,
            'resident_id_valid': id_number IS NULL OR NOT id_whole OR id_holds,
            'resident_id_agrees': NOT id_holds OR born IS NULL OR sex_value IS NULL
                OR (id_number[7:14] = strftime(born, '%Y%m%d')
                    AND (try_cast(id_number[17] AS INTEGER) % 2 = 1) = (sex_value = 'male')),
            'residence_village_valid': residence IS NOT NULL,
            'registered_village_valid': blank_or(registered_village, registered IS NOT NULL),
            'village_in_township': residence IS NULL
                OR (registered_village IS NOT NULL AND registered IS NULL)
                OR in_township,
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
    (
        consent_by IS NOT NULL AND consent_date IS NOT NULL AND consent_scope IS NOT NULL
        AND lower(consent_by) NOT IN ('不同意', '拒绝', '否', '无', 'no', 'none', 'refused')
    ) AS has_consent,
    typed.register_no AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    CASE WHEN (
        consent_by IS NOT NULL AND consent_date IS NOT NULL AND consent_scope IS NOT NULL
        AND lower(consent_by) NOT IN ('不同意', '拒绝', '否', '无', 'no', 'none', 'refused')
    ) THEN failed_rules(rules) ELSE [] END AS failed_rules,
    typed,
    CASE WHEN (
        consent_by IS NOT NULL AND consent_date IS NOT NULL AND consent_scope IS NOT NULL
        AND lower(consent_by) NOT IN ('不同意', '拒绝', '否', '无', 'no', 'none', 'refused')
    ) THEN rules END AS rules
FROM judged;
