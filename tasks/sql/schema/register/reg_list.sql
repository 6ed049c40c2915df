-- Grain: one row a revision of a campaign's compiled list; the people of it are in reg_person, and
-- none where everybody withdrew. as_of: the day of the plan's time zone it was compiled for.
CREATE TABLE IF NOT EXISTS register.reg_list (
    campaign VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    as_of DATE NOT NULL,
    people INTEGER NOT NULL,
    PRIMARY KEY (campaign, revision)
);
