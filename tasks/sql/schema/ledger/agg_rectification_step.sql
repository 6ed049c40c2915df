-- Grain: one row a step that a person took about a rectification. Rows are only ever added.
-- position: 1, 2, … within the rectification. step: evidence, not_accepted, closed. on_day: the day of
-- the evidence or of the decision; noted_at: when it was entered, wall time of the plan's time zone.
-- evidence and reason: of closed lists, so that no text about anybody can stand here.
CREATE TABLE IF NOT EXISTS ledger.agg_rectification_step (
    campaign VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    shortfall VARCHAR NOT NULL,
    opened_round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    step VARCHAR NOT NULL,
    on_day DATE NOT NULL,
    taken_by VARCHAR NOT NULL,
    evidence VARCHAR,
    reason VARCHAR,
    noted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, village, shortfall, opened_round, position)
);
