-- Grain: one row, the backup.
SELECT health_centre, made_at, contents FROM fresh.kept_backup;
