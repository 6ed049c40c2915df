-- Grain: one row where the shared ledger has its table, else none.
SELECT table_name
FROM duckdb_tables()
WHERE database_name = 'shared' AND schema_name = 'main' AND table_name = 'release';
