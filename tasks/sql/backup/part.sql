-- Grain: one row, a part of a kept file.
SELECT content FROM fresh.kept_file WHERE path = $path AND part = $part;
