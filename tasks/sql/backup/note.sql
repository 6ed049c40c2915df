-- Grain: one row a backup that was made of this home and verified.
INSERT INTO ledger.agg_backup VALUES ($made_at, $folder)
ON CONFLICT DO NOTHING;
