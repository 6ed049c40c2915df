-- Grain: one row, the time of the catalogue's server, UTC without a zone.
-- The name of the attached catalogue is DuckLake's own.
FROM postgres_query('__ducklake_metadata_shared', 'SELECT clock_timestamp() AT TIME ZONE ''UTC''');
