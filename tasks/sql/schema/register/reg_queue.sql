-- Grain: one row a person of the latest compiled list who is new to the register, at one as_of.
-- state: waiting, booked, confirmed, not_confirmed, declined, withdrawn (the last four have left the
-- queue). position: 1.. among those who wait or are booked, by clinician-set urgency, then by
-- waiting_since; null for who has left. attended_on: first assessment attended.
CREATE TABLE IF NOT EXISTS register.reg_queue (
    campaign VARCHAR NOT NULL,
    person_ref VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    position INTEGER,
    urgency VARCHAR NOT NULL,
    waiting_since DATE NOT NULL,
    session_date DATE,
    attended_on DATE,
    as_of DATE NOT NULL,
    PRIMARY KEY (campaign, person_ref)
);
