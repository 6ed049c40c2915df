-- Grain: one row a withdrawn referral that is gone. It stays for as long as a register entry rests on
-- the referral: it is what keeps that person off visit lists and hand-overs. Run after the referrals.
DELETE FROM register.reg_withdrawal AS gone
WHERE NOT EXISTS (FROM register.stg_referral AS referral
        WHERE referral.campaign = gone.campaign AND referral.referral_ref = gone.referral_ref)
    AND NOT EXISTS (FROM register.reg_registered AS entry
        WHERE entry.referral_ref = gone.referral_ref);
