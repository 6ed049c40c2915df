-- Grain: one row a raw row of the people of subject_referral and subject_registered: its cells go.
UPDATE register.raw_row AS gone
SET cells = NULL
WHERE gone.cells IS NOT NULL AND (gone.sheet, gone.submission_id, gone.row_number) IN (
    SELECT 'referral', submission_id, row_number
    FROM register.stg_referral JOIN subject_referral USING (campaign, referral_ref)
    UNION ALL
    SELECT 'assessment_outcome', outcome.submission_id, outcome.row_number
    FROM register.stg_assessment_outcome AS outcome JOIN subject_referral USING (campaign, referral_ref)
    WHERE NOT EXISTS (FROM register.reg_registered AS entry
        WHERE entry.source = 'assessment' AND entry.referral_ref = outcome.referral_ref)
    UNION ALL
    SELECT 'follow_up', submission_id, row_number
    FROM register.stg_follow_up JOIN subject_registered USING (register_no)
    UNION ALL
    SELECT 'registered_person', submission_id, row_number
    FROM register.stg_registered_person JOIN subject_registered USING (register_no)
);
