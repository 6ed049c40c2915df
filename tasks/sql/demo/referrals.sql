-- Grain: one row a current referral of a campaign: where it came from and who it belongs to in the
-- newest compiled list (null before there is one).
SELECT referral.referral_ref, referral.sender_village AS village, referral.round, referral.row_no,
    link.person_ref
FROM register.stg_referral AS referral
LEFT JOIN register.reg_person_referral AS link
    ON link.campaign = referral.campaign AND link.referral_ref = referral.referral_ref
    AND link.revision = (SELECT max(revision) FROM register.reg_list AS newest
        WHERE newest.campaign = referral.campaign)
WHERE referral.campaign = $campaign AND referral.is_current
ORDER BY village, referral.round, referral.row_no;
