-- Grain: one row an entry of the trail: an opening of the register by a command or a run, a look at
-- people's data, or a change of it. Who, what and why, about whom by reference; never a name.
-- position: 1, 2, … without a gap. hash: HMAC-SHA256 of the entry and of `previous`, the hash of the
-- entry before it, '' in the first (rules/chain.py). Rows are only ever added.
CREATE TABLE IF NOT EXISTS register.reg_trail (
    position BIGINT PRIMARY KEY,
    entered_at TIMESTAMP NOT NULL,
    who VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    subjects VARCHAR[] NOT NULL,
    previous VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);
