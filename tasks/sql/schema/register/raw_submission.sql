-- Grain: one row a received file that was not refused (a file sent twice is one row).
-- submission_id: keyed hash of the file's bytes. received_at: when the file came, wall time of the
-- plan's time zone; recorded_at: when this software took it in. Both are kept, so that a file which
-- is recorded late still counts as what it was, and a back-dated one shows.
-- The five verdicts add up to the rows read, or the row is not kept. nil: an accepted nil return.
CREATE TABLE IF NOT EXISTS register.raw_submission (
    submission_id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    sender_village VARCHAR NOT NULL,
    template INTEGER NOT NULL,
    sheets VARCHAR[] NOT NULL,
    rows_read INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    returned INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    no_consent INTEGER NOT NULL,
    nil BOOLEAN NOT NULL,
    received_at TIMESTAMP NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    CHECK (rows_read = accepted + returned + duplicate + unchanged + no_consent)
);
