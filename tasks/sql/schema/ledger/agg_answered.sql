-- Grain: one row a campaign in which a question about two records was answered: when last, and no
-- count, so that the list is known to be behind. answered_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS ledger.agg_answered (
    campaign VARCHAR PRIMARY KEY,
    answered_at TIMESTAMP NOT NULL
);
