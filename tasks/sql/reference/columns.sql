-- Grain: one row a column of a table of the register or the ledger.
SELECT database_name, table_name, column_name
FROM duckdb_columns() WHERE database_name IN ('register', 'ledger');
