-- Grain: one row a village with current referrals of one sweep round that were not withdrawn.
SELECT sender_village AS village, count(*)::INTEGER AS referrals
FROM register.stg_referral AS referral
WHERE is_current AND campaign = $campaign AND round = $round
    AND NOT EXISTS (FROM register.reg_withdrawal AS gone
        WHERE gone.campaign = referral.campaign AND gone.referral_ref = referral.referral_ref)
GROUP BY sender_village
ORDER BY sender_village;
