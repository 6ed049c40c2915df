-- Grain: one row a referral of a person with an outcome. enrols: the person's latest outcome that is
-- no no_show, whatever day the queue is looked at, is confirmed with consent to management. A person
-- is all referrals of the latest compiled list that are one; a referral that left it speaks for itself.
CREATE OR REPLACE TEMP TABLE queue_verdict AS
WITH
told AS (
    SELECT coalesce(link.person_ref, o.referral_ref) AS person_ref, o.*
    FROM register.stg_assessment_outcome AS o
    LEFT JOIN register.reg_person_referral AS link
        ON link.campaign = o.campaign
        AND link.revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
        AND link.referral_ref = o.referral_ref
    WHERE o.campaign = $campaign AND o.is_current AND o.outcome <> 'no_show'
),
latest AS (
    FROM told
    QUALIFY row_number() OVER (
        PARTITION BY person_ref
        ORDER BY assessed_on DESC, received_at DESC, submission_id DESC, row_number DESC
    ) = 1
)
SELECT DISTINCT
    told.referral_ref,
    latest.outcome = 'confirmed' AND coalesce(latest.management_consent, false) AS enrols
FROM told
JOIN latest ON latest.person_ref = told.person_ref;
