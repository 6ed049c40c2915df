-- Grain: one row a village and sweep round: referrals that are about to be erased and are counted there.
-- Withdrawn ones are counted no more.
INSERT INTO register.reg_tally BY NAME
SELECT
    referral.campaign, 'sweep' AS phase, referral.round, 'referrals' AS name,
    referral.sender_village AS village, count(*)::INTEGER AS amount
FROM register.stg_referral AS referral
JOIN retention_due AS due USING (campaign, referral_ref)
WHERE referral.is_current AND due.reason <> 'withdrawn'
GROUP BY ALL
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
