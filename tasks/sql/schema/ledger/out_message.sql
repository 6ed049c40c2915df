-- Grain: one row a message: one recipient of one revision, or of one notice to the health side.
-- The body of a summary is the report file, that of a notice stands here; what tells a village of its
-- returned rows lies in that village's own folder. Both latter have the phase '' and their number as
-- revision.
-- state: draft (no mail server configured yet), ready, sending, sent, failed, unknown (handed over,
-- then the process died before it could record the answer; never sent again by itself).
CREATE TABLE IF NOT EXISTS ledger.out_message (
    message_id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    audience VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    report VARCHAR,
    body VARCHAR,
    state VARCHAR NOT NULL,
    problem VARCHAR,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (campaign, phase, round, revision, recipient, kind),
    CHECK ((report IS NULL) <> (body IS NULL))
);
