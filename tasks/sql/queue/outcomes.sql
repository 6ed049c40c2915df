-- Grain: one row a person with an outcome up to $as_of. The latest outcome that is no no_show
-- decides; null where the person never came. attended_on: the first assessment that took place.
CREATE OR REPLACE TEMP TABLE queue_outcome AS
WITH
told AS (
    SELECT member.person_ref, o.*
    FROM queue_member AS member
    JOIN register.stg_assessment_outcome AS o ON o.referral_ref = member.referral_ref
    WHERE o.campaign = $campaign AND o.is_current AND o.assessed_on <= $as_of
)
SELECT
    person_ref,
    max(assessed_on) AS last_on,
    min(assessed_on) FILTER (WHERE list_contains($assessed, outcome)) AS attended_on,
    max(
        {
            'assessed_on': assessed_on, 'received_at': received_at,
            'submission_id': submission_id, 'row_number': row_number,
            'outcome': outcome, 'referral_ref': referral_ref, 'diagnosis': diagnosis,
            'psychiatrist_licence': psychiatrist_licence, 'enrols': management_consent
        }
    ) FILTER (WHERE outcome <> 'no_show') AS decided
FROM told
GROUP BY person_ref;
