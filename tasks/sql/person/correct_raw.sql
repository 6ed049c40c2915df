-- Grain: one row a raw row of the person on a sheet ($sheet_name): the corrected cell takes the value,
-- and the row is marked.
UPDATE register.raw_row AS stored
SET
    cells = list_concat(
        list_append(stored.cells[1:$position - 1], $value), stored.cells[$position + 1:]),
    corrected_on = $corrected_on
WHERE stored.cells IS NOT NULL
    AND stored.sheet = $sheet_name
    AND (stored.submission_id, stored.row_number) IN (
        SELECT submission_id, row_number
        FROM register.stg_referral JOIN subject_referral USING (campaign, referral_ref)
        WHERE $sheet_name = 'referral'
        UNION ALL
        SELECT submission_id, row_number
        FROM register.stg_registered_person JOIN subject_registered USING (register_no)
        WHERE $sheet_name = 'registered_person'
    );
