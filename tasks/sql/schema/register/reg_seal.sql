-- Grain: one row a revision: HMAC-SHA256 over all the ledger holds of it that never changes again.
-- Written before the revision is. released: the revision is known to have reached the ledger; a seal
-- without it is of a try that was cut off, and the next try replaces it.
CREATE TABLE IF NOT EXISTS register.reg_seal (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    seal VARCHAR NOT NULL,
    released BOOLEAN NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision)
);
