-- Grain: one row a referral that is said at this step: its reference, that of the version it replaces or
-- says again, or the one it would have been given had it come in order.
UPDATE register.stg_referral AS stored
SET referral_ref = coalesce(
    (SELECT old.referral_ref FROM register.stg_referral AS old
     WHERE old.submission_id = verdict.old_submission AND old.row_number = verdict.old_row),
    'R-' || upper(left(keyed('referral:' || verdict.submission_id || '|'
        || verdict.row_number), 12)))
FROM verdict_referral AS verdict
JOIN late_referral AS late USING (submission_id, row_number)
WHERE stored.submission_id = late.held_submission AND stored.row_number = late.held_row;
