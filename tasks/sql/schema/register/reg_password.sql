-- Grain: one row a sender (a village, or the health centre) that was sent a return workbook, with the
-- password all of its return workbooks open with. made_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.reg_password (
    village VARCHAR PRIMARY KEY,
    password VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL
);
