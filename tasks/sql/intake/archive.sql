-- Grain: one row a row of a received {sheet} sheet, as it came. Cells only of accepted rows, and never
-- the ID number.
INSERT INTO register.raw_row BY NAME
WITH came AS MATERIALIZED (
    SELECT submission_id, row_number, [*COLUMNS(
        name -> name NOT IN ('submission_id', 'row_number', 'resident_id'))] AS cells
    FROM raw_{sheet}
)
SELECT
    came.submission_id,
    '{sheet}' AS sheet,
    came.row_number,
    verdict.verdict,
    CASE WHEN verdict.verdict = 'accepted' THEN came.cells END AS cells
FROM came
JOIN verdict_{sheet} AS verdict USING (submission_id, row_number)
JOIN arrived USING (submission_id);
