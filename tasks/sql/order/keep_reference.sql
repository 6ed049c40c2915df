-- Grain: one row a referral of a sender out of order, in all its versions, whose reference just given is
-- not the one to keep. A reference on a list or in somebody's hands stays with whom it was told of; whom
-- it was given now instead gets another, since it is nobody else's.
UPDATE register.stg_referral AS stored
SET referral_ref = coalesce(
    told.referral_ref,
    'R-' || upper(left(keyed('referral:' || stored.referral_ref), 12)))
FROM (SELECT DISTINCT held_submission, held_row FROM late_referral) AS late
JOIN register.stg_referral AS given
    ON given.submission_id = late.held_submission AND given.row_number = late.held_row
LEFT JOIN (
    SELECT now.referral_ref AS given_now, min(was.referral_ref) AS referral_ref
    FROM told_reference AS was
    JOIN register.stg_referral AS now USING (submission_id, row_number)
    GROUP BY now.referral_ref
) AS told ON told.given_now = given.referral_ref
WHERE stored.submission_id = given.submission_id AND stored.row_number = given.row_number
    AND (told.referral_ref IS NOT NULL
        OR given.referral_ref IN (SELECT referral_ref FROM told_reference));
