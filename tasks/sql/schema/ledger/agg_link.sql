-- Grain: one row a one-time link to the intake page: one village, phase and round.
-- token_hash: SHA-256 of its secret, which is kept nowhere. expires_at, made_at, ended_at: wall time of
-- the plan's time zone. ended_by: null while it is open, else use (a delivery was confirmed), new_link
-- (a newer one took its place) or revoke. made_by: who made it, or link: the one used before it.
CREATE TABLE IF NOT EXISTS ledger.agg_link (
    token_hash VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    village VARCHAR NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    ended_by VARCHAR,
    ended_at TIMESTAMP
);
