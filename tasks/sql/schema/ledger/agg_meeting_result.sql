-- Grain: one row a thing that became of a decision of a joint meeting. Rows are only ever added; the
-- newest holds. position: 1, 2, … within the decision. result: of a closed list.
CREATE TABLE IF NOT EXISTS ledger.agg_meeting_result (
    campaign VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    result VARCHAR NOT NULL,
    on_day DATE NOT NULL,
    recorded_by VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, number, position)
);
