-- Grain: one row a referral of a person of the latest compiled list who is new to the register and
-- in a care setting that waits. withdrawn: every referral of the person is withdrawn by now.
CREATE OR REPLACE TEMP TABLE queue_member AS
SELECT
    member.referral_ref,
    p.person_ref,
    p.care_setting,
    p.urgency,
    p.waiting_since,
    bool_and(w.referral_ref IS NOT NULL) OVER (PARTITION BY p.person_ref) AS withdrawn
FROM register.reg_person AS p
JOIN register.reg_person_referral AS member
    ON member.campaign = p.campaign
    AND member.revision = p.revision
    AND member.person_ref = p.person_ref
LEFT JOIN register.reg_withdrawal AS w
    ON w.campaign = p.campaign AND w.referral_ref = member.referral_ref
WHERE p.campaign = $campaign
    AND p.revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
    AND p.register_no IS NULL
    AND list_contains($settings, p.care_setting);
