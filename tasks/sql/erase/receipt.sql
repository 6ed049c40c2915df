-- Grain: one row a receipt: that something was erased or frozen; names nobody.
INSERT INTO register.reg_receipt BY NAME
SELECT $receipt_id AS receipt_id, $campaign AS campaign, $kind AS kind, $made_at AS made_at,
    $people AS people, map($tables::VARCHAR[], $rows::INTEGER[]) AS rows_removed,
    $files_removed AS files_removed;
