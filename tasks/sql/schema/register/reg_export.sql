-- Grain: one row a workbook about people that was written (exports.py), the only such files there are.
-- path: below the home. kind: session, visits or handover. subjects: the references of the people in
-- it, never names; who was erased since is taken out. made_at: wall time of the plan's time zone.
-- remove_on: the first day on which the file must be gone; removed: whether it is.
-- password: of a session sheet that is still there, which the clinic fills in and sends back locked.
CREATE TABLE IF NOT EXISTS register.reg_export (
    path VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    subjects VARCHAR[] NOT NULL,
    made_at TIMESTAMP NOT NULL,
    remove_on DATE NOT NULL,
    removed BOOLEAN NOT NULL,
    password VARCHAR
);
