-- Grain: one row a received file. No counts of rows: a referral row is a person.
-- counts: at least one row accepted (or unchanged). nil: an accepted nil return.
CREATE TABLE IF NOT EXISTS ledger.agg_submission (
    submission_id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    village VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL,
    counts BOOLEAN NOT NULL,
    nil BOOLEAN NOT NULL
);
