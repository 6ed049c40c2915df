-- Grain: one row a register entry that its person's latest outcome no longer bears out: the clinic
-- corrected it, or a later assessment says otherwise. Asked over all outcomes (queue_verdict), so that
-- a rerun for an earlier day takes nobody off.
DELETE FROM register.reg_registered AS g
WHERE g.source = 'assessment'
    AND g.referral_ref IN (
        SELECT referral_ref FROM register.stg_referral WHERE campaign = $campaign
    )
    AND g.referral_ref NOT IN (SELECT referral_ref FROM queue_verdict WHERE enrols);
