-- Grain: one row a head of the register's trail as it was when the register was opened or closed. It
-- says how far the trail had come and what its last entry's hash was; nothing about anybody. Rows are
-- only ever added: two hashes at one position are how a replaced trail shows.
CREATE TABLE IF NOT EXISTS ledger.agg_anchor (
    position BIGINT NOT NULL,
    hash VARCHAR NOT NULL,
    anchored_at TIMESTAMP NOT NULL,
    PRIMARY KEY (position, hash)
);
