-- Grain: one row a part of a kept file.
INSERT INTO fresh.kept_file VALUES ($path, $part, $content);
