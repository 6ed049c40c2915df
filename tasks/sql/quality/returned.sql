-- Grain: one row a column of a sheet for which rows of a phase and round were sent back: how many.
-- Every row that was read counts, corrected or not since; one may be counted under several columns.
WITH reason AS (SELECT unnest($rules) AS rule, unnest($columns) AS name),
broken AS (
    SELECT submission_id, row_number, unnest(failed_rules) AS rule
    FROM register.stg_{sheet}
    WHERE campaign = $campaign AND phase = $phase AND round = $round AND verdict = 'returned'
)
SELECT reason.name, count(DISTINCT (broken.submission_id, broken.row_number)) AS row_count
FROM broken
JOIN reason ON reason.rule = broken.rule
GROUP BY reason.name
