-- Grain: one row an erasure or freezing on request, or a run of retention: what proves that it was
-- done. Names nobody and holds no reference. rows_removed: table -> rows. people: how many it concerned.
-- compacted_at: when the register was rewritten without the bytes; null until then, and where nothing
-- was removed. Times: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.reg_receipt (
    receipt_id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    people INTEGER NOT NULL,
    rows_removed MAP(VARCHAR, INTEGER) NOT NULL,
    files_removed INTEGER NOT NULL,
    compacted_at TIMESTAMP
);
