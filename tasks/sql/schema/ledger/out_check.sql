-- Grain: one row a suite run with a revision: how many expectations held. No counts of rows.
CREATE TABLE IF NOT EXISTS ledger.out_check (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    suite VARCHAR NOT NULL,
    expectations INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision, suite)
);
