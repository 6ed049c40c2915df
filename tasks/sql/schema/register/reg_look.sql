-- Grain: one row a look at, or a change of, data about people by a command: who, when, what, about
-- whom by reference. Rows are only ever added.
CREATE TABLE IF NOT EXISTS register.reg_look (
    looked_at TIMESTAMP NOT NULL,
    who VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    refs VARCHAR[] NOT NULL
);
