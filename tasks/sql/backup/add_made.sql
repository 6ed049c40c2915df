-- Grain: one row, the backup.
INSERT INTO fresh.kept_backup VALUES ($health_centre, $made_at, $contents);
