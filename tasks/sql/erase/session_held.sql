-- Grain: one row a clinic day with an outcome about the people of subject_referral: it was held, even
-- when nobody is known any more who came.
INSERT INTO register.reg_session_held BY NAME
SELECT DISTINCT campaign, assessed_on AS session_date
FROM register.stg_assessment_outcome JOIN subject_referral USING (campaign, referral_ref)
WHERE is_current
ON CONFLICT DO NOTHING;
