-- Grain: one row a state that a phase and round came into. Rows are only ever added.
-- position: 1, 2, … within the round. on_day: the day of the plan that it belongs to; entered_at: when
-- it was noticed, wall time of the plan's time zone. entered_by: '' where the clock or a run did it.
-- reason: why it was reopened, of a closed list; until: the last day of that.
CREATE TABLE IF NOT EXISTS ledger.agg_transition (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    on_day DATE NOT NULL,
    entered_at TIMESTAMP NOT NULL,
    entered_by VARCHAR NOT NULL,
    reason VARCHAR,
    until DATE,
    PRIMARY KEY (campaign, phase, round, position)
);
