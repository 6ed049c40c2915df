-- Grain: one row a row of a received {sheet} sheet whose turn it is to be judged.
CREATE OR REPLACE TEMP VIEW turn_{sheet} AS
SELECT
    staged.submission_id, staged.row_number, staged.row_key, staged.alt_key, staged.content_hash,
    staged.has_consent,
    len(staged.failed_rules) > 0 AS is_broken,
    came.return_id,
    staged.typed AS said,
    arrived.campaign, arrived.phase, arrived.round, arrived.sender_village,
    arrived.received_at, arrived.is_known
FROM staged_{sheet} AS staged
JOIN arrived USING (submission_id)
LEFT JOIN came_back AS came
    ON came.sheet = '{sheet}' AND came.submission_id = staged.submission_id
    AND came.row_number = staged.row_number;
