-- Grain: one row a village, phase, round and revision: its one reporting state.
CREATE TABLE IF NOT EXISTS ledger.agg_reporting (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    village VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    nil BOOLEAN NOT NULL,
    files INTEGER NOT NULL,
    first_counted_at TIMESTAMP,
    PRIMARY KEY (campaign, phase, round, revision, village)
);
