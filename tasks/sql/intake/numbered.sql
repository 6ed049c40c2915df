-- Grain: one row a row of a {sheet} sheet that was sent back with a number or came with one: when it
-- came, and the stored row that holds what it said; none where it was not accepted.
CREATE OR REPLACE TEMP VIEW numbered_{sheet} AS
SELECT
    numbered.return_id, file.campaign, file.phase, file.round, file.sender_village,
    file.received_at, said.held_submission, said.held_row
FROM register.reg_return AS numbered
JOIN register.raw_submission AS file USING (submission_id)
LEFT JOIN register.reg_said AS said
    ON said.sheet = '{sheet}' AND said.submission_id = numbered.submission_id
    AND said.row_number = numbered.row_number
WHERE numbered.sheet = '{sheet}';
