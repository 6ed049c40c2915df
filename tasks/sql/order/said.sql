-- Grain: one row a row that a sender out of order said on a {sheet} sheet, with what it said (keys and
-- content of the row that holds it) and the step at which it comes: the number of its file among
-- those of its sender and round, by when they came. What was erased since is not said any more.
CREATE OR REPLACE TEMP TABLE late_{sheet} AS
SELECT
    file.campaign, file.phase, file.round, file.sender_village, file.received_at,
    said.submission_id, said.row_number, said.held_submission, said.held_row,
    held.row_key, held.alt_key, held.content_hash,
    numbered.return_id,
    dense_rank() OVER (
        PARTITION BY file.campaign, file.phase, file.round, file.sender_village
        ORDER BY file.received_at, file.recorded_at, said.place, said.submission_id) AS step
FROM register.reg_said AS said
JOIN register.raw_submission AS file USING (submission_id)
JOIN late_series USING (campaign, phase, round, sender_village)
JOIN register.stg_{sheet} AS held
    ON held.submission_id = said.held_submission AND held.row_number = said.held_row
LEFT JOIN register.reg_return AS numbered
    ON numbered.sheet = '{sheet}' AND numbered.submission_id = said.submission_id
    AND numbered.row_number = said.row_number
WHERE said.sheet = '{sheet}' AND held.row_key IS NOT NULL;
