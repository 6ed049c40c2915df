-- Grain: one row a row of a received care_group sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_care_group AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_care_group
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.sender_village,
        arrived.received_at::DATE AS received_on,
        to_code(village_code) AS village,
        to_choice('care_role', role) AS role_value,
        to_choice('yes_no', filled) AS is_filled,
        to_date(trained_on) AS trained_day
    FROM cleaned JOIN arrived USING (submission_id)
),
typed AS (
    SELECT
        *,
        {
            'village_code': village,
            'role': role_value,
            'filled': is_filled = 'yes',
            'trained_on': trained_day
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
            -- a role that is said to be filled and not filled: neither can be believed
            'role_valid': role_value IS NOT NULL
                AND min(typed::VARCHAR) OVER same_role = max(typed::VARCHAR) OVER same_role,
            'filled_valid': is_filled IS NOT NULL,
            'trained_on_valid': blank_or(trained_on, trained_day <= received_on),
            'trained_is_filled': trained_on IS NULL OR coalesce(is_filled, 'yes') = 'yes'
        } AS rules
    FROM typed
    WINDOW same_role AS (PARTITION BY submission_id, village, role_value)
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.village_code || '|' || typed.role AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
