-- Grain: one row a person of the latest compiled list with a referral that is not withdrawn. As many
-- as "referrals" says are linked to a person: the check has_referrals comes before.
CREATE OR REPLACE TEMP TABLE figure_person AS
WITH
latest AS (
    SELECT max(revision) AS revision FROM register.reg_list WHERE campaign = $campaign
),
withdrawn AS (
    SELECT member.person_ref, count(*) AS referrals
    FROM register.reg_person_referral AS member
    JOIN register.reg_withdrawal AS w
        ON w.campaign = member.campaign AND w.referral_ref = member.referral_ref
    WHERE member.campaign = $campaign AND member.revision = (FROM latest)
    GROUP BY member.person_ref
)
SELECT p.person_ref, p.responsible_village AS village, p.care_setting,
    p.register_no IS NOT NULL AS known
FROM register.reg_person AS p
LEFT JOIN withdrawn ON withdrawn.person_ref = p.person_ref
WHERE p.campaign = $campaign
    AND p.revision = (FROM latest)
    AND p.referrals > coalesce(withdrawn.referrals, 0);
