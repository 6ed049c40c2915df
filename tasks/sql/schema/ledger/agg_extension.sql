-- Grain: one row a village, phase and round with a later due day.
CREATE TABLE IF NOT EXISTS ledger.agg_extension (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    village VARCHAR NOT NULL,
    due DATE NOT NULL,
    granted_by VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    granted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, phase, round, village)
);
