-- Grain: one row a newly accepted referral: its reference, that of the version it replaces or new.
-- A keyed hash of where it was said first: the same after a rerun, and nobody else's, whoever bears the
-- same name later or bore it before it was put right.
UPDATE register.stg_referral AS stored
SET referral_ref = coalesce(
    (SELECT old.referral_ref FROM register.stg_referral AS old
     WHERE old.submission_id = verdict.old_submission AND old.row_number = verdict.old_row),
    'R-' || upper(left(keyed('referral:' || verdict.submission_id || '|'
        || verdict.row_number), 12)))
FROM verdict_referral AS verdict
WHERE verdict.verdict = 'accepted'
    AND stored.submission_id = verdict.submission_id
    AND stored.row_number = verdict.row_number;
