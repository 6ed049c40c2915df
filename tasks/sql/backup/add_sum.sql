-- Grain: one row a kept file.
INSERT INTO fresh.kept_sum VALUES ($path, $parts, $sha256);
