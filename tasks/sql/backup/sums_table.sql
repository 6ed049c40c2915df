-- Grain: one row a kept file: how many parts it has and the SHA-256 of the whole.
CREATE TABLE fresh.kept_sum (
    path VARCHAR PRIMARY KEY,
    parts INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL
);
