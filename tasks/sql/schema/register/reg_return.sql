-- Grain: one row a row that was sent back with a number, or came with one; no value of it. return_id is
-- given to a row when it is returned first and stays with it, however often it comes and goes: so a
-- corrected row finds its original whatever was changed in it.
CREATE TABLE IF NOT EXISTS register.reg_return (
    submission_id VARCHAR NOT NULL,
    sheet VARCHAR NOT NULL,
    row_number INTEGER NOT NULL,
    return_id VARCHAR NOT NULL,
    PRIMARY KEY (submission_id, sheet, row_number)
);
