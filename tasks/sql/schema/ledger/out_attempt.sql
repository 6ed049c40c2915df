-- Grain: one row a try to hand a message over to a mail server. Written, and committed, before the
-- server sees the message; what came of it is filled in afterwards.
-- attempt: 1, 2 and so on of the message. problem: the last part of a wording key mail.problem.…;
-- NULL where it was taken, or while it is under way. retry_at: when it is tried again by itself.
CREATE TABLE IF NOT EXISTS ledger.out_attempt (
    message_id VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    tried_at TIMESTAMP NOT NULL,
    problem VARCHAR,
    retry_at TIMESTAMP,
    PRIMARY KEY (message_id, attempt)
);
