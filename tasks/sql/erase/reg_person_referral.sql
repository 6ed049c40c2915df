-- Grain: one row a referral and revision of a compiled list whose person is not listed there any more:
-- all referrals that were made one with a referral of subject_referral.
DELETE FROM register.reg_person_referral AS gone
WHERE NOT EXISTS (FROM register.reg_person AS person
    WHERE person.campaign = gone.campaign AND person.revision = gone.revision
        AND person.person_ref = gone.person_ref);
