-- Grain: one row a person of the latest compiled list with a referral that is not withdrawn.
CREATE OR REPLACE TEMP TABLE figure_person AS
SELECT p.person_ref, p.responsible_village AS village, p.care_setting,
    p.register_no IS NOT NULL AS known
FROM register.reg_person AS p
WHERE p.campaign = $campaign
    AND p.revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
    AND EXISTS (
        FROM register.reg_person_referral AS member
        ANTI JOIN register.reg_withdrawal AS w
            ON w.campaign = member.campaign AND w.referral_ref = member.referral_ref
        WHERE member.campaign = p.campaign
            AND member.revision = p.revision
            AND member.person_ref = p.person_ref
    );
