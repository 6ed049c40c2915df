-- Grain: one row a backup that was made of this home and verified. It may have been removed since.
-- made_at: wall time of the plans' time zone. folder: where it was put.
CREATE TABLE IF NOT EXISTS ledger.agg_backup (
    made_at TIMESTAMP PRIMARY KEY,
    folder VARCHAR NOT NULL
);
