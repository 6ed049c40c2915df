-- Grain: one row a released revision of a township, as that signed it (tasks/rules/shared.py).
-- shared_at: by the catalogue's clock. signature: Ed25519 over the UTF-8 bytes of body, hex. The columns
-- before body say again what is in it, to find the row by. DuckLake knows no key: rows that are the same
-- count once.
CREATE TABLE IF NOT EXISTS shared.release (
    township VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body VARCHAR NOT NULL,
    signature VARCHAR NOT NULL,
    shared_at TIMESTAMPTZ NOT NULL
);
