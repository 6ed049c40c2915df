-- Grain: one row a row of a {sheet} sheet whose turn it is to be judged again, as intake/turn.sql has it.
CREATE OR REPLACE TEMP VIEW turn_{sheet} AS
SELECT
    late.submission_id, late.row_number, late.row_key, late.alt_key, late.content_hash,
    true AS has_consent,
    false AS is_broken,
    late.return_id,
    held AS said,
    late.campaign, late.phase, late.round, late.sender_village, late.received_at,
    false AS is_known
FROM late_{sheet} AS late
JOIN late_step USING (step)
JOIN register.stg_{sheet} AS held
    ON held.submission_id = late.held_submission AND held.row_number = late.held_row;
