-- Grain: one row, the time of this machine, UTC without a zone.
SELECT now() AT TIME ZONE 'UTC';
