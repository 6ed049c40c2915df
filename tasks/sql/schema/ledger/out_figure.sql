-- Grain: one row a figure of a released revision, as the audience may see it.
-- village: 12-digit code, or '' for the township. value: null unless state is released or zero.
-- unit: people, households, files, visits, days, percent, sessions.
CREATE TABLE IF NOT EXISTS ledger.out_figure (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    audience VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    value DOUBLE,
    state VARCHAR NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision, audience, name, village)
);
