-- Grain: one row a secret of a purpose and version: 32 random bytes, never shown. purpose: person
-- (pseudonyms), trail, ledger (seals). version: 1 at init, one more with each rotation. The older ones
-- stay: a pseudonym of today is made with all of them, one after the other.
CREATE TABLE IF NOT EXISTS register.reg_secret (
    purpose VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    secret BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (purpose, version)
);
