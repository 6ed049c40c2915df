-- Grain: one row a sender of rows about the people of subject_referral and subject_registered: a
-- village, or the health centre.
SELECT sender_village FROM register.stg_referral JOIN subject_referral USING (campaign, referral_ref)
UNION
SELECT sender_village
FROM register.stg_assessment_outcome JOIN subject_referral USING (campaign, referral_ref)
UNION
SELECT sender_village FROM register.stg_registered_person JOIN subject_registered USING (register_no)
UNION
SELECT sender_village FROM register.stg_follow_up JOIN subject_registered USING (register_no)
ORDER BY sender_village;
