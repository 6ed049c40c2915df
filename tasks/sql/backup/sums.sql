-- Grain: one row a kept file.
SELECT path, parts, sha256 FROM fresh.kept_sum ORDER BY path;
