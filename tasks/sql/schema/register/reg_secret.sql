-- Grain: one row a pseudonym secret and version. 32 random bytes, made at init, never shown.
CREATE TABLE IF NOT EXISTS register.reg_secret (
    purpose VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    secret BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (purpose, version)
);
