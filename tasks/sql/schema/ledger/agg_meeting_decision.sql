-- Grain: one row a decision of a joint meeting. Rows are only ever added. No word of its own, so that
-- it can name nobody: topic and owner are of closed lists (tasks/rules/meeting.py), shortfall a rule's
-- name. village: 12-digit code, or '' where it is about several or none. recorded_by: of the staff.
CREATE TABLE IF NOT EXISTS ledger.agg_meeting_decision (
    campaign VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    met_on DATE NOT NULL,
    topic VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    due DATE NOT NULL,
    village VARCHAR NOT NULL,
    shortfall VARCHAR,
    recorded_by VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, number)
);
