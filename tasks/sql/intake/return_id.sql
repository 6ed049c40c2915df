-- Grain: one row a row of a received {sheet} sheet that goes back or came with a number: its number. The
-- one it was sent back with before, else the one it came with, else a new one: a keyed hash of where it
-- stands, so that it says nothing and cannot be guessed.
CREATE OR REPLACE TABLE return_{sheet} AS
SELECT
    verdict.submission_id,
    verdict.row_number,
    coalesce(
        sent.return_id,
        came.return_id,
        'T-' || upper(left(keyed('return:{sheet}|' || verdict.submission_id || '|'
            || verdict.row_number), 12))) AS return_id
FROM verdict_{sheet} AS verdict
LEFT JOIN came_back AS came
    ON came.sheet = '{sheet}' AND came.submission_id = verdict.submission_id
    AND came.row_number = verdict.row_number
LEFT JOIN register.reg_return AS sent
    ON sent.sheet = '{sheet}' AND sent.submission_id = verdict.submission_id
    AND sent.row_number = verdict.row_number
WHERE verdict.verdict = 'returned' OR came.return_id IS NOT NULL;
