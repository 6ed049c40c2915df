-- Grain: one row a row of a {sheet} sheet that bears a number, as intake/numbered.sql has it; what is said
-- at a later step, or at this one, is not said yet.
CREATE OR REPLACE TEMP VIEW numbered_{sheet} AS
SELECT
    numbered.return_id, file.campaign, file.phase, file.round, file.sender_village,
    file.received_at, said.held_submission, said.held_row
FROM register.reg_return AS numbered
JOIN register.raw_submission AS file USING (submission_id)
LEFT JOIN (
    SELECT late.submission_id, late.row_number, late.held_submission, late.held_row
    FROM late_{sheet} AS late JOIN late_step ON late.step < late_step.step
) AS said
    ON said.submission_id = numbered.submission_id AND said.row_number = numbered.row_number
WHERE numbered.sheet = '{sheet}';
