-- Grain: one row a row of a received {sheet} sheet that was accepted or said again what is held.
INSERT INTO register.reg_said
SELECT
    '{sheet}',
    verdict.submission_id,
    verdict.row_number,
    if(verdict.verdict = 'accepted', verdict.submission_id, verdict.old_submission),
    if(verdict.verdict = 'accepted', verdict.row_number, verdict.old_row),
    $place
FROM verdict_{sheet} AS verdict
JOIN arrived USING (submission_id)
WHERE verdict.verdict IN ('accepted', 'unchanged');
