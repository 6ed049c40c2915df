-- Grain: one row: how many rows a table has, and the sum of their hashes.
SELECT count(*), coalesce(sum(hash(content)::HUGEINT), 0)::HUGEINT FROM query_table($table) AS content;
