-- Grain: one row a question about a referral of subject_referral or an entry of subject_registered.
DELETE FROM register.reg_question AS gone
WHERE EXISTS (FROM subject_referral AS subject
        WHERE subject.campaign = gone.campaign AND subject.referral_ref IN (gone.ref_a, gone.ref_b))
    OR (gone.against_register AND gone.ref_b IN (SELECT register_no FROM subject_registered));
