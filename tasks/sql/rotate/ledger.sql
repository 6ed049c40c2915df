-- Grain: one row a received file that the ledger still knows by its name from before the last rotation.
UPDATE ledger.agg_submission AS told
SET submission_id = moved.submission_id
FROM (
    SELECT
        submission_id AS was,
        sha256($outer || unhex(sha256($inner || encode(submission_id)))) AS submission_id
    FROM ledger.agg_submission
    ANTI JOIN register.raw_submission USING (submission_id)
) AS moved
JOIN register.raw_submission USING (submission_id)
WHERE told.submission_id = moved.was;
