-- Grain: one row a day of a phase and round for which a run completed; run again, it is the newer one.
-- position: the order of the runs of all campaigns. revision: null for a phase that releases nothing.
-- arrived, followed: what its result rests on, to tell whether it would say the same now: a hash of
-- the files and extensions of its round, and the newest revisions of the phases before it.
CREATE TABLE IF NOT EXISTS ledger.agg_run (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    as_of DATE NOT NULL,
    revision INTEGER,
    ran_at TIMESTAMP NOT NULL,
    position BIGINT NOT NULL,
    arrived VARCHAR NOT NULL,
    followed VARCHAR NOT NULL,
    PRIMARY KEY (campaign, phase, round, as_of)
);
