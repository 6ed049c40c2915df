-- Grain: one row a clinic day with an outcome, of which retention has erased one: it was held, whoever
-- is still known to have come.
CREATE TABLE IF NOT EXISTS register.reg_session_held (
    campaign VARCHAR NOT NULL,
    session_date DATE NOT NULL,
    PRIMARY KEY (campaign, session_date)
);
