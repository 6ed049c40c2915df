-- Grain: one row a sender and round whose files were not taken in in the order in which they came: one
-- of those taken in now came before one that was taken in earlier.
CREATE OR REPLACE TEMP TABLE late_series AS
SELECT DISTINCT file.campaign, file.phase, file.round, file.sender_village
FROM register.raw_submission AS file
JOIN arrived USING (submission_id)
JOIN register.raw_submission AS other
    ON other.campaign = file.campaign AND other.phase = file.phase
    AND other.round = file.round AND other.sender_village = file.sender_village
    AND other.received_at > file.received_at
UNION
SELECT file.campaign, file.phase, file.round, file.sender_village
FROM register.raw_submission AS file
JOIN came_earlier USING (submission_id);
