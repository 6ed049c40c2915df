-- Grain: one row, the current referral with this reference, if there is one.
SELECT referral_ref FROM register.stg_referral
WHERE is_current AND campaign = $campaign AND referral_ref = $referral_ref;
