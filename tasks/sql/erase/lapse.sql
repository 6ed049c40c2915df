-- Grain: one row a key of a referral row that is about to be erased: both keys by which intake could
-- know the row again. A consent given up to $lapsed_on (or to the day it was taken back) no longer holds.
INSERT INTO register.reg_lapsed BY NAME
SELECT DISTINCT
    referral.campaign, referral.round, referral.sender_village, key.row_key,
    coalesce(gone.withdrawn_on, $lapsed_on) AS lapsed_on,
    $remove_on AS remove_on
FROM register.stg_referral AS referral
JOIN subject_referral USING (campaign, referral_ref)
LEFT JOIN register.reg_withdrawal AS gone USING (campaign, referral_ref),
    unnest([referral.row_key, referral.alt_key]) AS key (row_key)
WHERE key.row_key IS NOT NULL;
