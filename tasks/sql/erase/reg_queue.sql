-- Grain: one row a person of a queue that a referral of subject_referral names.
DELETE FROM register.reg_queue AS gone
WHERE EXISTS (FROM subject_referral AS subject
    WHERE subject.campaign = gone.campaign AND subject.referral_ref = gone.person_ref);
