-- Grain: one row a row of a received service_month sheet: typed values, row rules, keys. In memory only.
-- Subsidies are judged over all months up to the row's, since what is paid in one may have been applied
-- for in another: a month as it stands in the register, of whatever campaign, or as it comes in now.
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
        arrived.received_at,
        arrived.received_at::DATE AS received_on,
        to_code(village_code) AS village,
        to_month(month) AS month_start,
        to_choice('yes_no', care_group_met) AS met,
        to_date(status_updated_on) AS updated_on,
        to_int(guardian_contacts) AS contacts,
        to_int(rehabilitation_sessions) AS sessions,
        to_int(subsidy_applied) AS applied,
        to_int(subsidy_reviewed) AS reviewed,
        to_int(subsidy_paid) AS paid,
        to_int(problems_raised) AS problems
    FROM cleaned JOIN arrived USING (submission_id)
),
-- what is said of a village's months; what comes in now goes before what stands
said AS (
    SELECT village, month_start, applied, reviewed, paid
    FROM (
        SELECT village, month_start, applied, reviewed, paid, received_at, true AS is_new
        FROM parsed
        WHERE village = sender_village AND month_start = period
        UNION ALL
        SELECT village_code, month, subsidy_applied, subsidy_reviewed, subsidy_paid, received_at, false
        FROM register.stg_service_month
        WHERE is_current AND village_code IN (SELECT village FROM parsed)
    )
    QUALIFY row_number() OVER (
        PARTITION BY village, month_start ORDER BY is_new DESC, received_at DESC, applied, paid) = 1
),
before AS (
    SELECT
        village,
        month_start,
        coalesce(sum(applied) OVER earlier, 0) AS applied_before,
        coalesce(sum(reviewed) OVER earlier, 0) AS reviewed_before,
        coalesce(sum(paid) OVER earlier, 0) AS paid_before
    FROM said
    WINDOW earlier AS (
        PARTITION BY village ORDER BY month_start
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
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
            'subsidy_reviewed': reviewed,
            'subsidy_paid': paid,
            'problems_raised': problems
        } AS typed,
        -- of a month that is not asked for, only the month itself is judged
        applied + coalesce(applied_before, 0) AS applied_so_far,
        reviewed + coalesce(reviewed_before, 0) AS reviewed_so_far,
        paid + coalesce(paid_before, 0) AS paid_so_far
    FROM parsed
    LEFT JOIN before USING (village, month_start)
),
judged AS (
    SELECT
        *,
        {
            'village_code_valid': coalesce(village = sender_village, false),
            -- a month reported twice with different figures: neither can be believed
            'month_valid': coalesce(month_start = period OR month_start > received_on, false)
                AND min(typed::VARCHAR) OVER same_month = max(typed::VARCHAR) OVER same_month,
            'month_begun': coalesce(month_start <= received_on, true),
            'care_group_met_valid': met IS NOT NULL,
            'status_updated_on_valid': blank_or(status_updated_on, updated_on <= received_on),
            'guardian_contacts_valid': contacts IS NOT NULL,
            'rehabilitation_sessions_valid': sessions IS NOT NULL,
            'subsidy_applied_valid': applied IS NOT NULL,
            'subsidy_reviewed_valid': blank_or(subsidy_reviewed, reviewed IS NOT NULL),
            'subsidy_reviewed_within_applied': coalesce(reviewed_so_far <= applied_so_far, true),
            'subsidy_paid_valid': paid IS NOT NULL,
            'subsidy_paid_within_applied': coalesce(paid_so_far <= applied_so_far, true),
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
