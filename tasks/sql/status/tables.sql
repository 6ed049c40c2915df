-- Grain: one row a table of the ledger.
SELECT table_name FROM duckdb_tables() WHERE database_name = 'ledger';
