-- Grain: one row a row of a received follow_up sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_follow_up AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_follow_up
),
chosen AS (
    SELECT
        cleaned.*,
        arrived.received_at::DATE AS received_on,
        arrived.campaign,
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
parsed AS (
    SELECT *, coalesce(lost IN ('declined', 'moved', 'transferred', 'died'), false) AS closes
    FROM chosen
),
-- what the register holds of these people, less what a file says anew, and what the file says itself
told AS (
    SELECT DISTINCT here.submission_id, held.register_no, held.visited_on, held.died
    FROM (SELECT DISTINCT submission_id, register_no FROM parsed) AS here
    JOIN arrived USING (submission_id)
    JOIN ref_visited AS held ON held.register_no = here.register_no
    WHERE (held.campaign, held.phase, held.round, held.sender_village)
            <> (arrived.campaign, arrived.phase, arrived.round, arrived.sender_village)
        OR NOT EXISTS (
            FROM parsed AS again
            WHERE again.submission_id = here.submission_id
                AND again.register_no = held.register_no AND again.visited = held.visited_on)
    UNION ALL
    SELECT submission_id, register_no, visited, closes
    FROM parsed
    WHERE if(closes, lost = 'died' AND seen_value <> 'person', seen_value = 'person')
),
known AS (
    SELECT
        submission_id, register_no,
        min(visited_on) FILTER (died) AS died_on,
        max(visited_on) FILTER (NOT died) AS last_met_on
    FROM told
    GROUP BY submission_id, register_no
),
clinician AS (
    SELECT campaign, list(licence) AS licences FROM ref_clinician GROUP BY campaign
),
typed AS (
    SELECT
        parsed.*,
        known.died_on,
        known.last_met_on,
        clinician.licences,
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
        -- a visit made by a clinician finds something; a call by the village doctor judges nobody
        coalesce(seen_value IN ('person', 'guardian'), false)
            AND NOT closes AND clinician_licence IS NOT NULL AS judged_by_clinician
    FROM parsed
    LEFT JOIN known USING (submission_id, register_no)
    LEFT JOIN clinician USING (campaign)
),
judged AS (
    SELECT
        *,
        {
            'register_no_known': confirmed_on IS NOT NULL,
            'visited_on_valid': visited IS NOT NULL,
            -- beside a visit to come, one reason is enough
            'entered_on_valid': entered IS NOT NULL AND coalesce(
                visited > received_on
                OR entered <= received_on AND entered >= coalesce(visited, entered), false),
            'mode_valid': mode_value IS NOT NULL,
            'seen_valid': seen_value IS NOT NULL,
            'stability_valid': stability_value IS NOT NULL
                OR (stability IS NULL AND NOT judged_by_clinician),
            'rating_valid': coalesce(rating_value BETWEEN 0 AND 5, false)
                OR (rating IS NULL AND NOT judged_by_clinician),
            'medication_valid': medication_value IS NOT NULL
                OR (medication IS NULL AND NOT judged_by_clinician),
            'adverse_reaction_valid': adverse IS NOT NULL
                OR (adverse_reaction IS NULL AND NOT judged_by_clinician),
            'lost_reason_valid': blank_or(lost_reason, lost IS NOT NULL),
            -- only clinicians judge: stability and rating are nobody's without a licence
            'clinician_licence_valid': coalesce(licence_check(clinician_licence),
                clinician_licence IS NULL AND stability IS NULL AND rating IS NULL),
            'visited_on_not_to_come': coalesce(visited <= received_on, true),
            'visited_on_after_diagnosis': coalesce(visited >= confirmed_on, true),
            'visited_on_before_death': coalesce(visited <= died_on, true),
            'lost_reason_agrees': NOT coalesce(
                (seen_value = 'person' AND lost IN (
                    'died', 'moved', 'transferred', 'no_contact', 'working_away'))
                OR (closes AND (stability IS NOT NULL OR rating IS NOT NULL)), false),
            'death_agrees': NOT coalesce(lost = 'died' AND visited < last_met_on, false),
            'clinician_known': clinician_licence IS NULL OR licences IS NULL
                OR NOT licence_check(clinician_licence)
                OR list_contains(licences, upper(clinician_licence))
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
