-- Grain: at most one row, the receipt with this number.
SELECT receipt_id, kind, made_at, people, rows_removed AS rows, files_removed AS files
FROM register.reg_receipt
WHERE receipt_id = $receipt_id;
