-- Grain: one row a table of one of the attached files.
SELECT table_name FROM duckdb_tables() WHERE database_name = $database ORDER BY table_name;
