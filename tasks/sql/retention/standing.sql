-- Grain: one row a current referral of the campaign with a day from which its time runs: why, and since
-- when. A person (all referrals of the newest list that are one; a referral on no list is one) has one
-- reason, a withdrawn referral has its own. Who was confirmed and agreed to management has none. The
-- rule is rules/retention.py.
CREATE OR REPLACE TEMP TABLE retention_standing AS
WITH
linked AS (
    SELECT
        referral.campaign,
        referral.referral_ref,
        coalesce(link.person_ref, referral.referral_ref) AS person_ref,
        referral.consent_date,
        gone.withdrawn_on
    FROM register.stg_referral AS referral
    LEFT JOIN register.reg_person_referral AS link
        ON link.campaign = referral.campaign AND link.referral_ref = referral.referral_ref
        AND link.revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
    LEFT JOIN register.reg_withdrawal AS gone
        ON gone.campaign = referral.campaign AND gone.referral_ref = referral.referral_ref
    WHERE referral.is_current AND referral.campaign = $campaign
),
decided AS (
    SELECT
        linked.person_ref, told.assessed_on, told.outcome,
        coalesce(told.management_consent, false) AS managed,
        coalesce(told.second_opinion_requested, false) AS second_opinion
    FROM linked
    JOIN register.stg_assessment_outcome AS told USING (campaign, referral_ref)
    WHERE told.is_current AND told.outcome <> 'no_show'
    QUALIFY row_number() OVER (
        PARTITION BY linked.person_ref
        ORDER BY told.assessed_on DESC, told.received_at DESC, told.submission_id DESC,
            told.row_number DESC) = 1
),
judged AS (
    SELECT
        linked.*,
        decided.* EXCLUDE (person_ref),
        max(linked.consent_date) FILTER (WHERE linked.withdrawn_on IS NULL)
            OVER (PARTITION BY linked.person_ref) AS consented_on
    FROM linked
    LEFT JOIN decided USING (person_ref)
)
SELECT
    campaign,
    referral_ref,
    person_ref,
    CASE
        WHEN withdrawn_on IS NOT NULL THEN 'withdrawn'
        WHEN outcome = 'confirmed' AND managed THEN NULL
        WHEN outcome IS NULL OR consented_on > assessed_on THEN 'unassessed'
        WHEN outcome = 'confirmed' THEN 'unmanaged'
        WHEN outcome = 'not_confirmed' AND second_opinion THEN 'second_opinion'
        ELSE outcome
    END AS reason,
    CASE
        WHEN withdrawn_on IS NOT NULL THEN withdrawn_on
        WHEN outcome IS NULL THEN consented_on
        ELSE greatest(assessed_on, consented_on)
    END AS since
FROM judged;
