-- Grain: one row a person booked into a clinic session. person_ref is any referral_ref of the person
-- at the time of booking; the queue resolves it through the latest compiled list.
CREATE TABLE IF NOT EXISTS register.reg_booking (
    campaign VARCHAR NOT NULL,
    session_date DATE NOT NULL,
    person_ref VARCHAR NOT NULL,
    booked_on DATE NOT NULL,
    PRIMARY KEY (campaign, session_date, person_ref)
);
