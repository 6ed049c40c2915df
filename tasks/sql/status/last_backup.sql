-- Grain: one row, the last backup made of this home; none where none was.
SELECT made_at, folder
FROM ledger.agg_backup
ORDER BY made_at DESC
LIMIT 1;
