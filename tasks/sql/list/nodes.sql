-- Grain: one row a record to link: a current referral of the campaign, or a registered person who
-- was known before it. Referrals come first, so the smallest node of a person is a referral.
-- Withdrawn referrals are left out whatever $as_of is. Who was enrolled by this campaign's own
-- assessments was not known before it.
CREATE OR REPLACE TEMP TABLE list_node AS
WITH
record AS (
    SELECT
        false AS registered, r.referral_ref AS ref,
        r.full_name, r.sex, r.birth_date, r.resident_key, r.residence_village, r.phone,
        r.registered_village, r.sender_village, r.round, r.row_number,
        r.consent_date, r.consent_scope, r.care_setting, r.urgency
    FROM register.stg_referral AS r
    WHERE r.campaign = $campaign
        AND r.is_current
        AND NOT EXISTS (
            FROM register.reg_withdrawal AS w
            WHERE w.campaign = $campaign AND w.referral_ref = r.referral_ref
        )
    UNION ALL BY NAME
    SELECT
        true AS registered, g.register_no AS ref,
        g.full_name, g.sex, g.birth_date, g.resident_key, g.residence_village, g.phone
    FROM register.reg_registered AS g
    WHERE g.confirmed_on <= $as_of
        AND NOT (
            g.source = 'assessment'
            AND EXISTS (
                FROM register.stg_referral AS own
                WHERE own.campaign = $campaign AND own.referral_ref = g.referral_ref
            )
        )
)
SELECT row_number() OVER (ORDER BY registered, ref) AS node, *
FROM record;
