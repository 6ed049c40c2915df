-- Grain: one row, the current referral with this reference, if there is one, and when it was withdrawn.
SELECT referral.referral_ref, gone.withdrawn_on
FROM register.stg_referral AS referral
LEFT JOIN register.reg_withdrawal AS gone USING (campaign, referral_ref)
WHERE referral.is_current AND campaign = $campaign AND referral_ref = $referral_ref;
