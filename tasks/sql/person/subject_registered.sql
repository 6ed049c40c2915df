-- Grain: one row a register number of the person whom $ref names (subject_referral is made): of an
-- entry that stands, or of a frozen record.
CREATE OR REPLACE TEMP TABLE subject_registered AS
SELECT register_no FROM register.reg_registered WHERE register_no = $ref
UNION
SELECT register_no FROM register.reg_frozen WHERE register_no = $ref
UNION
SELECT entry.register_no
FROM register.reg_registered AS entry
JOIN subject_referral USING (referral_ref)
UNION
SELECT entry.register_no
FROM register.reg_registered AS entry
JOIN register.stg_referral AS referral USING (resident_key)
JOIN subject_referral ON subject_referral.referral_ref = referral.referral_ref
    AND subject_referral.campaign = referral.campaign
WHERE referral.is_current
UNION
SELECT entry.register_no
FROM register.reg_registered AS entry
JOIN register.reg_person AS person USING (register_no)
JOIN register.reg_person_referral AS link USING (campaign, revision, person_ref)
JOIN subject_referral AS subject
    ON subject.campaign = link.campaign AND subject.referral_ref = link.referral_ref
WHERE link.revision = (SELECT max(revision) FROM register.reg_list AS newest
    WHERE newest.campaign = link.campaign);
