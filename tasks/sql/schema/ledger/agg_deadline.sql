-- Grain: one row a due day that people were told of, by phase and round: a new one where it moved, or
-- where it is no longer provisional. Rows are only ever added; the highest position is the newest.
-- due: null where the plan has the phase and round no more. provisional: the working-day calendar it
-- rests on was not published yet. noted_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS ledger.agg_deadline (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    due DATE,
    provisional BOOLEAN NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, phase, round, position)
);
