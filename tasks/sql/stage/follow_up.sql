-- Grain: one row a row of a received follow_up sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_follow_up AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_follow_up
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.received_at::DATE AS received_on,
        ref_registered.confirmed_on,
        to_date(visited_on) AS visited,
        to_date(entered_on) AS entered,
        to_choice('mode', mode) AS mode_value,
        to_choice('seen', seen) AS seen_value,
        to_choice('stability', stability) AS stability_value,
        to_int(rating) AS rating_value,
        to_choice('medication', medication) AS medication_value,
        to_choice('yes_no', adverse_reaction) AS adverse,
        to_choice('lost_reason', lost_reason) AS lost
    FROM cleaned
    JOIN arrived USING (submission_id)
    LEFT JOIN ref_registered USING (register_no)
),
typed AS (
    SELECT
        *,
        {
            'register_no': register_no,
            'visited_on': visited,
            'entered_on': entered,
            'mode': mode_value,
            'seen': seen_value,
            'stability': stability_value,
            'rating': rating_value,
            'medication': medication_value,
            'adverse_reaction': adverse = 'yes',
            'lost_reason': lost,
            'clinician_licence': clinician_licence
        } AS typed,
        coalesce(seen_value IN ('person', 'guardian'), false) AS judged_in_person
    FROM parsed
),
judged AS (
    SELECT
        *,
        {
            'register_no_known': confirmed_on IS NOT NULL,
            'visited_on_valid': coalesce(
                visited <= received_on AND visited >= coalesce(confirmed_on, visited), false),
            'entered_on_valid': coalesce(
                entered <= received_on AND entered >= coalesce(visited, entered), false),
            'mode_valid': mode_value IS NOT NULL,
            'seen_valid': seen_value IS NOT NULL,
            'stability_valid': stability_value IS NOT NULL
                OR (stability IS NULL AND NOT judged_in_person),
            'rating_valid': coalesce(rating_value BETWEEN 0 AND 5, false)
                OR (rating IS NULL AND NOT judged_in_person),
            'medication_valid': medication_value IS NOT NULL
                OR (medication IS NULL AND NOT judged_in_person),
            'adverse_reaction_valid': adverse IS NOT NULL
                OR (adverse_reaction IS NULL AND NOT judged_in_person),
            'lost_reason_valid': blank_or(lost_reason, lost IS NOT NULL),
            'clinician_licence_valid': coalesce(licence_check(clinician_licence), false)
        } AS rules
    FROM typed
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.register_no || '|' || typed.visited_on AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
