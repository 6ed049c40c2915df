-- Grain: one row a released figure that is withheld to protect another count, not for its own size.
-- Kept on the private side: a reader must not learn which of the two it was.
CREATE TABLE IF NOT EXISTS register.reg_secondary (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision, name, village)
);
