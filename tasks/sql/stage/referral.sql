-- Grain: one row a row of a received referral sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_referral AS
WITH cleaned AS MATERIALIZED (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_referral
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.campaign,
        arrived.received_at::DATE AS received_on,
        to_int(row_no) AS row_value,
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
        to_choice('relation', contact_relation) AS relation,
        to_choice('referred_by', referred_by) AS referrer,
        to_choice('care_setting', care_setting) AS setting,
        to_choice('urgency', urgency) AS urgency_value,
        phone_number(contact_phone) AS contact_number,
        string_split_regex(observed_signs, ' ?[,、;/ ] ?') AS sign_texts,
        arrived.phase, arrived.round, arrived.sender_village
    FROM cleaned JOIN arrived USING (submission_id)
),
keyed_rows AS (
    SELECT
        *,
        id_check(id_number) AS id_holds,
        CASE WHEN id_check(id_number) THEN keyed('id:' || id_number) END AS resident_key,
        keyed('nbs:' || name || '|' || born || '|' || sex_value) AS name_key
    FROM parsed
),
typed AS (
    SELECT
        *,
        {
            'row_no': row_value,
            'full_name': name,
            'sex': sex_value,
            'birth_date': born,
            'resident_key': resident_key,
            'residence_village': residence,
            'registered_village': registered,
            'phone': phone_value,
            'contact_name': contact_name,
            'contact_relation': relation,
            'contact_phone': contact_number,
            'referred_by': referrer,
            'consent_by': consenting,
            'consent_date': consented_on,
            'consent_scope': scope,
            'care_setting': setting,
            'observed_signs': list_sort(list_distinct(
                list_transform(sign_texts, lambda sign: try_cast(sign AS INTEGER)))),
            'urgency': urgency_value
        } AS typed
    FROM keyed_rows
),
judged AS (
    SELECT
        *,
        {
            'consent_by_valid': consenting IS NOT NULL,
            'consent_date_valid': coalesce(consented_on <= received_on, false),
            'consent_scope_valid': scope IS NOT NULL,
            'row_no_valid': coalesce(row_value > 0, false),
            'full_name_valid': coalesce(name_check(name), false),
            'sex_valid': sex_value IS NOT NULL,
            'birth_date_valid': coalesce(born BETWEEN DATE '1900-01-01' AND received_on, false),
            -- completed years on the day of consent; unknown dates fail their own rules
            'adult': coalesce(born + INTERVAL 18 YEAR <= consented_on, true),
            'resident_id_whole': id_whole(id_number),
            'resident_id_valid': NOT id_whole(id_number) OR blank_or(id_number, id_holds),
            'resident_id_agrees': NOT id_holds OR id_agrees(id_number, born, sex_value),
            'residence_village_valid': residence IS NOT NULL,
            'registered_village_valid': blank_or(registered_village, registered IS NOT NULL),
            'village_in_township': residence IS NULL
                OR (registered_village IS NOT NULL AND registered IS NULL)
                OR in_township(campaign, residence) OR in_township(campaign, registered),
            'phone_valid': blank_or(phone, phone_check(phone)),
            'contact_name_valid': blank_or(contact_name, name_check(contact_name)),
            'contact_relation_valid': blank_or(contact_relation, relation IS NOT NULL),
            'contact_phone_valid': blank_or(contact_phone, phone_check(contact_phone)),
            'referred_by_valid': referrer IS NOT NULL,
            'care_setting_valid': setting IS NOT NULL,
            'observed_signs_valid': blank_or(observed_signs, list_bool_and(list_transform(
                sign_texts, lambda sign: coalesce(
                    try_cast(sign AS INTEGER) BETWEEN 1 AND 11, false)))),
            'urgency_valid': urgency_value IS NOT NULL
        } AS rules
    FROM typed
)
SELECT
    submission_id,
    row_number,
    has_consent,
    coalesce(resident_key, name_key) AS row_key,
    name_key AS alt_key,
    -- without the ID number, which row_key and alt_key tell apart (intake/verdict)
    md5(struct_values(struct_update(typed, resident_key := NULL))::VARCHAR) AS content_hash,
    CASE WHEN has_consent THEN failed_rules(rules) ELSE [] END AS failed_rules,
    typed,
    CASE WHEN has_consent THEN rules END AS rules
FROM judged;
