-- Grain: one row a register entry whose outcome the clinic corrected: no longer confirmed, or no
-- longer with consent. Asked over all outcomes, whatever $as_of is, so that a rerun for an earlier
-- day takes nobody off.
DELETE FROM register.reg_registered AS g
WHERE g.source = 'assessment'
    AND g.referral_ref IN (
        SELECT referral_ref FROM register.stg_referral WHERE campaign = $campaign
    )
    AND NOT EXISTS (
        FROM register.stg_assessment_outcome AS o
        WHERE o.campaign = $campaign AND o.is_current AND o.referral_ref = g.referral_ref
            AND o.outcome = 'confirmed' AND o.management_consent
    );
