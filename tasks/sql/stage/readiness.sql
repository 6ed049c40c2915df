-- Grain: one row a row of a received readiness sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_readiness AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_readiness
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.sender_village,
        arrived.received_at::DATE AS received_on,
        to_code(village_code) AS village,
        to_date(training_date) AS trained_on,
        to_int(trained_people) AS trained,
        to_choice('yes_no', emergency_plan_updated) AS plan_updated,
        to_date(drill_date) AS drilled_on,
        to_choice('yes_no', care_group_complete) AS group_complete,
        to_choice('yes_no', materials_delivered) AS delivered
    FROM cleaned JOIN arrived USING (submission_id)
),
typed AS (
    SELECT
        *,
        {
            'village_code': village,
            'training_date': trained_on,
            'trained_people': trained,
            'emergency_plan_updated': plan_updated = 'yes',
            'drill_date': drilled_on,
            'care_group_complete': group_complete = 'yes',
            'materials_delivered': delivered = 'yes'
        } AS typed
    FROM parsed
),
judged AS (
    SELECT
        submission_id,
        row_number,
        typed,
        {
            'village_code_valid': coalesce(village = sender_village, false),
            'training_date_valid': blank_or(training_date, trained_on <= received_on),
            'trained_people_valid': blank_or(trained_people, trained IS NOT NULL),
            'emergency_plan_updated_valid': plan_updated IS NOT NULL,
            'drill_date_valid': blank_or(drill_date, drilled_on <= received_on),
            'care_group_complete_valid': group_complete IS NOT NULL,
            'materials_delivered_valid': delivered IS NOT NULL
        } AS rules
    FROM typed
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.village_code AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
