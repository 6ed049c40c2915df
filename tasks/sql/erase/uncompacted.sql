-- Grain: one row: whether rows were removed whose bytes may still be in the file.
SELECT count(*) > 0
FROM register.reg_receipt
WHERE compacted_at IS NULL AND list_sum(map_values(rows_removed)) > 0;
