-- Grain: one row a row of a received sheet that was accepted, or said again what was held then
-- (unchanged): which stored row holds what it said. By it the versions of a row can be put into the
-- order in which they were sent, whatever order they were taken in. It holds no value and no key.
-- place: which file of its sender it was in the delivery, from 0, where several came at one moment.
CREATE TABLE IF NOT EXISTS register.reg_said (
    sheet VARCHAR NOT NULL,
    submission_id VARCHAR NOT NULL,
    row_number INTEGER NOT NULL,
    held_submission VARCHAR NOT NULL,
    held_row INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (sheet, submission_id, row_number)
);
