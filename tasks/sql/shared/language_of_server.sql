-- Grain: one row, the language in which the catalogue's server says what went wrong.
FROM postgres_query('__ducklake_metadata_shared', 'SELECT current_setting(''lc_messages'') AS language');
