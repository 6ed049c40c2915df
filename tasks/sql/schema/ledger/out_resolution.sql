-- Grain: one row a decision of an officer on a message that was stuck: who decided what, and why.
-- was: the state it was in, unknown or failed. decision: arrived, send_again. after_attempt: how many
-- tries there had been by then; those that follow are counted, and waited for, anew.
CREATE TABLE IF NOT EXISTS ledger.out_resolution (
    message_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    was VARCHAR NOT NULL,
    decision VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    after_attempt INTEGER NOT NULL,
    PRIMARY KEY (message_id, number)
);
