-- Grain: one row a request that was decided or has lapsed; it shows how things stand, and grants
-- nothing: what was approved stands in the register (reg_approval).
-- decision: approved, declined, lapsed. decided_by: '' where it lapsed by itself. reason: a word of a
-- closed list, or null. decided_at: wall time of the plan's time zone. Rows are only ever added.
CREATE TABLE IF NOT EXISTS ledger.agg_decision (
    request_hash VARCHAR PRIMARY KEY,
    decision VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    reason VARCHAR,
    decided_at TIMESTAMP NOT NULL
);
