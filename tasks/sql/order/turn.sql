-- Grain: one row a row of a {sheet} sheet whose turn it is to be judged again, as intake/turn.sql has it.
CREATE OR REPLACE TEMP VIEW turn_{sheet} AS
SELECT
    submission_id, row_number, row_key, alt_key, content_hash,
    true AS has_consent,
    false AS is_broken,
    return_id, campaign, phase, round, sender_village, received_at,
    false AS is_known
FROM late_{sheet} JOIN late_step USING (step);
