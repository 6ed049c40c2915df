-- Grain: one row a person and revision of a compiled list that a referral of subject_referral stood in.
-- Run before reg_person_referral, which says so.
DELETE FROM register.reg_person AS gone
WHERE EXISTS (FROM register.reg_person_referral AS link
    JOIN subject_referral USING (campaign, referral_ref)
    WHERE link.campaign = gone.campaign AND link.revision = gone.revision
        AND link.person_ref = gone.person_ref);
