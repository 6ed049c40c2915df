-- Grain: one row a row of a received coverage sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_coverage AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_coverage
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.sender_village,
        arrived.received_at::DATE AS received_on,
        arrived.people_rows > 0 AS has_referrals,
        to_code(village_code) AS village,
        to_int(households) AS total,
        to_int(households_visited) AS visited,
        to_int(households_declined) AS declined,
        to_date(visits_from) AS from_day,
        to_date(visits_to) AS to_day,
        to_int(no_consent_count) AS not_consenting,
        coalesce(to_choice('yes_no', nil_return), if(nil_return IS NULL, 'no', NULL)) AS nil
    FROM cleaned JOIN arrived USING (submission_id)
),
typed AS (
    SELECT
        *,
        {
            'village_code': village,
            'grid': grid,
            'households': total,
            'households_visited': visited,
            'households_declined': declined,
            'visits_from': from_day,
            'visits_to': to_day,
            'no_consent_count': not_consenting,
            'nil_return': nil = 'yes'
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
            -- one grid with two different sets of figures: neither can be believed
            'grid_valid': grid IS NOT NULL AND length(grid) <= 40 AND NOT is_error(grid)
                AND min(typed::VARCHAR) OVER same_grid = max(typed::VARCHAR) OVER same_grid,
            'households_valid': total IS NOT NULL,
            'households_visited_valid': visited IS NOT NULL,
            'households_declined_valid': declined IS NOT NULL,
            -- never capped: more visits than households is an error to put right
            'visited_within_households': coalesce(visited + declined <= total, true),
            'visits_from_valid': coalesce(
                from_day <= received_on, visits_from IS NULL AND visited = 0, false),
            'visits_to_valid': coalesce(
                to_day <= received_on, visits_to IS NULL AND visited = 0, false),
            'visits_in_order': coalesce(from_day <= to_day, true),
            'no_consent_count_valid': not_consenting IS NOT NULL,
            'nil_return_valid': nil IS NOT NULL,
            'nil_return_true': nil IS NULL OR nil = 'no' OR NOT has_referrals
        } AS rules
    FROM typed
    WINDOW same_grid AS (PARTITION BY submission_id, grid)
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.grid AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
