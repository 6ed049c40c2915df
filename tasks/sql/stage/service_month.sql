-- Grain: one row a row of a received service_month sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_service_month AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_service_month
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.sender_village,
        arrived.period,
        arrived.received_at::DATE AS received_on,
        to_code(village_code) AS village,
        to_month(month) AS month_start,
        to_choice('yes_no', care_group_met) AS met,
        to_date(status_updated_on) AS updated_on,
        to_int(guardian_contacts) AS contacts,
        to_int(rehabilitation_sessions) AS sessions,
        to_int(subsidy_applied) AS applied,
        to_int(subsidy_paid) AS paid,
        to_int(problems_raised) AS problems
    FROM cleaned JOIN arrived USING (submission_id)
),
typed AS (
    SELECT
        *,
        {
            'village_code': village,
            'month': month_start,
            'care_group_met': met = 'yes',
            'status_updated_on': updated_on,
            'guardian_contacts': contacts,
            'rehabilitation_sessions': sessions,
            'subsidy_applied': applied,
            'subsidy_paid': paid,
            'problems_raised': problems
        } AS typed
    FROM parsed
),
judged AS (
    SELECT
        *,
        {
            'village_code_valid': coalesce(village = sender_village, false),
            -- a month reported twice with different figures: neither can be believed
            'month_valid': coalesce(month_start = period, false)
                AND min(typed::VARCHAR) OVER same_month = max(typed::VARCHAR) OVER same_month,
            'care_group_met_valid': met IS NOT NULL,
            'status_updated_on_valid': blank_or(status_updated_on, updated_on <= received_on),
            'guardian_contacts_valid': contacts IS NOT NULL,
            'rehabilitation_sessions_valid': sessions IS NOT NULL,
            'subsidy_applied_valid': applied IS NOT NULL,
            'subsidy_paid_valid': paid IS NOT NULL,
            'subsidy_paid_within_applied': coalesce(paid <= applied, true),
            'problems_raised_valid': problems IS NOT NULL
        } AS rules
    FROM typed
    WINDOW same_month AS (PARTITION BY submission_id, village, month_start)
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.village_code || '|' || typed.month AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
