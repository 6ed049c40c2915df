-- Grain: one row: how many people this campaign's assessments brought onto the register.
SELECT count(*)::INTEGER
FROM register.reg_registered
WHERE source = 'assessment'
    AND referral_ref IN (SELECT referral_ref FROM register.stg_referral WHERE campaign = $campaign);
