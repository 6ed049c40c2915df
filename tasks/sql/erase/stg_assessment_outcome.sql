-- Grain: one row an outcome row of the people of subject_referral. The row stays accounted for (file,
-- number, verdict); all it said is gone.
UPDATE register.stg_assessment_outcome AS gone
SET
    is_current = false,
    row_key = NULL,
    alt_key = NULL,
    content_hash = NULL,
    first_received_at = NULL,
    referral_ref = NULL,
    assessed_on = NULL,
    psychiatrist_licence = NULL,
    outcome = NULL,
    diagnosis = NULL,
    management_consent = NULL,
    second_opinion_requested = NULL
WHERE EXISTS (FROM subject_referral AS subject
        WHERE subject.campaign = gone.campaign AND subject.referral_ref = gone.referral_ref)
    -- an outcome that a register entry rests on is part of that record, and goes with it
    AND NOT EXISTS (FROM register.reg_registered AS entry
        WHERE entry.source = 'assessment' AND entry.referral_ref = gone.referral_ref);
