-- Grain: one row a row of a received assessment_outcome sheet: typed values, row rules, keys. In memory only.
CREATE OR REPLACE TABLE staged_assessment_outcome AS
WITH cleaned AS (
    SELECT submission_id, row_number, norm_text(COLUMNS(* EXCLUDE (submission_id, row_number)))
    FROM raw_assessment_outcome
),
parsed AS (
    SELECT
        cleaned.*,
        arrived.received_at::DATE AS received_on,
        upper(cleaned.referral_ref) AS ref,
        ref_referral.consent_date,
        to_date(assessed_on) AS assessed_day,
        to_choice('outcome', outcome) AS outcome_value,
        to_choice('diagnosis', diagnosis) AS diagnosed,
        to_choice('yes_no', management_consent) AS manages,
        coalesce(to_choice('yes_no', second_opinion_requested),
            if(second_opinion_requested IS NULL, 'no', NULL)) AS second_opinion
    FROM cleaned
    JOIN arrived USING (submission_id)
    LEFT JOIN ref_referral
        ON ref_referral.campaign = arrived.campaign
        AND ref_referral.referral_ref = upper(cleaned.referral_ref)
),
typed AS (
    SELECT
        *,
        {
            'referral_ref': ref,
            'assessed_on': assessed_day,
            'psychiatrist_licence': psychiatrist_licence,
            'outcome': outcome_value,
            'diagnosis': diagnosed,
            'management_consent': manages = 'yes',
            'second_opinion_requested': second_opinion = 'yes'
        } AS typed
    FROM parsed
),
judged AS (
    SELECT
        *,
        {
            'referral_ref_known': consent_date IS NOT NULL,
            'assessed_on_valid': coalesce(
                assessed_day <= received_on AND assessed_day >= coalesce(consent_date, assessed_day),
                false),
            'psychiatrist_licence_valid': coalesce(licence_check(psychiatrist_licence), false),
            'outcome_valid': outcome_value IS NOT NULL,
            'diagnosis_valid': CASE
                WHEN diagnosis IS NOT NULL THEN diagnosed IS NOT NULL
                ELSE outcome_value IS NULL OR outcome_value <> 'confirmed' END,
            'diagnosis_only_confirmed':
                diagnosis IS NULL OR outcome_value IS NULL OR outcome_value = 'confirmed',
            'management_consent_valid': manages IS NOT NULL
                OR (management_consent IS NULL AND outcome_value <> 'confirmed'),
            'second_opinion_requested_valid': second_opinion IS NOT NULL
        } AS rules
    FROM typed
)
SELECT
    submission_id,
    row_number,
    true AS has_consent,
    typed.referral_ref || '|' || typed.assessed_on AS row_key,
    NULL::VARCHAR AS alt_key,
    md5(typed::VARCHAR) AS content_hash,
    failed_rules(rules) AS failed_rules,
    typed,
    rules
FROM judged;
