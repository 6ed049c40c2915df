-- Grain: one row a township, phase and round: what counts of it, and whether something newer was
-- set aside. The first release that is not interim is the one that is on time or late.
CREATE OR REPLACE TABLE standing AS
SELECT
    township,
    phase,
    round,
    arg_max(
        {'row_no': row_no, 'revision': revision, 'period': period, 'status': status, 'due': due},
        revision
    ) FILTER (counts) AS newest,
    min_by(due, (shared_at, revision)) FILTER (counts AND status = 'due') AS first_due,
    min(shared_at) FILTER (counts AND status = 'due') AS first_shared_at,
    coalesce(
        max(revision) FILTER (NOT counts) > coalesce(max(revision) FILTER (counts), -1), false
    ) AS set_aside
FROM arrived
JOIN judged USING (row_no)
WHERE phase IS NOT NULL AND round IS NOT NULL AND revision IS NOT NULL
GROUP BY township, phase, round;
