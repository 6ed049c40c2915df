-- Grain: one row a thing to do of a village's supervision sheet (at most three a village and month).
CREATE TABLE IF NOT EXISTS ledger.agg_action (
    campaign VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    village VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    action VARCHAR NOT NULL,
    PRIMARY KEY (campaign, round, revision, village, position)
);
