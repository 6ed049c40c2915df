-- Grain: one row a table of the register or the ledger.
SELECT database_name, table_name FROM duckdb_tables() WHERE database_name IN ('register', 'ledger');
