-- Grain: one row a service gap of a registered person: a named want in the service, from the day it was
-- found or told to the day it was gone; of one person and kind at most one is open. It says nothing of
-- diagnosis, rating or stability. found_by: 'rule' (tasks/sql/gaps/found.sql) or 'hand'. owner: who of
-- the health staff sees to it. next_step: of the closed list gap_step. closed_as: of the closed list
-- gap_closed, or 'seen_gone' where the data showed it; closed_by: who closed it by hand.
CREATE TABLE IF NOT EXISTS register.reg_gap (
    gap_id VARCHAR PRIMARY KEY,
    register_no VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    found_by VARCHAR NOT NULL,
    opened_on DATE NOT NULL,
    owner VARCHAR NOT NULL,
    next_step VARCHAR NOT NULL,
    due_on DATE NOT NULL,
    closed_on DATE,
    closed_as VARCHAR,
    closed_by VARCHAR
);
