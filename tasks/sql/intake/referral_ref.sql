-- Grain: one row a row of a received referral sheet, with its verdict; a newly accepted one with its
-- reference, that of the version it replaces or new. A keyed hash of where it was said first: the same
-- after a rerun, and nobody else's, whoever bears the same name later or bore it before it was put right.
CREATE OR REPLACE TEMP TABLE verdict_referral AS
WITH replaced AS (
    SELECT verdict.submission_id, verdict.row_number, stored.referral_ref
    FROM verdict_referral AS verdict
    JOIN register.stg_referral AS stored
        ON stored.submission_id = verdict.old_submission AND stored.row_number = verdict.old_row
)
SELECT
    verdict.*,
    CASE WHEN verdict.verdict = 'accepted' THEN coalesce(
        replaced.referral_ref,
        'R-' || upper(left(keyed('referral:' || verdict.submission_id || '|'
            || verdict.row_number), 12))) END AS referral_ref
FROM verdict_referral AS verdict
LEFT JOIN replaced USING (submission_id, row_number);
