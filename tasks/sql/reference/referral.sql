-- Grain: one row a referral reference an assessment outcome may name.
CREATE OR REPLACE TABLE ref_referral AS
SELECT campaign, referral_ref, consent_date
FROM register.stg_referral
WHERE is_current;
