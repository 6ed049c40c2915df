-- Grain: one row a referral, in all its versions, that was told under another reference than the one
-- just given: a reference on a list or in somebody's hands stays.
UPDATE register.stg_referral AS stored
SET referral_ref = told.referral_ref
FROM (
    SELECT now.campaign, now.referral_ref AS given, min(was.referral_ref) AS referral_ref
    FROM told_reference AS was
    JOIN register.stg_referral AS now USING (submission_id, row_number)
    GROUP BY now.campaign, now.referral_ref
) AS told
WHERE stored.campaign = told.campaign AND stored.referral_ref = told.given;
