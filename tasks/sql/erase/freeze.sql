-- Grain: one row a register entry of subject_registered that leaves community management, with the
-- records of person_held that $tables names: whole rows, as they stood, without the keyed hashes by
-- which rows are told apart: nothing is going to be linked by them.
INSERT INTO register.reg_frozen BY NAME
SELECT
    entry.register_no,
    $frozen_on AS frozen_on,
    $keep_until AS keep_until,
    $reason AS reason,
    (SELECT json_group_array({'table': held."table", 'record': json_merge_patch(
        held.record, '{"submission_id": null, "row_key": null, "alt_key": null, "content_hash": null,
            "resident_key": null}')})
     FROM person_held AS held
     WHERE list_contains($tables, held."table")
        AND coalesce(held.record->>'register_no', entry.register_no) = entry.register_no
    )::VARCHAR AS records
FROM register.reg_registered AS entry
JOIN subject_registered USING (register_no);
