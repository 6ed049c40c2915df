-- Grain: one row a row of a received care_group sheet.
-- Every row read is here with its verdict. Typed values are kept only where the verdict is accepted:
-- a returned row lives in the return workbook, a row without consent nowhere. Rule columns are null
-- on a no_consent row. is_current: accepted and not replaced by a later correction.
-- received_at, first_received_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.stg_care_group (
    submission_id VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    sender_village VARCHAR NOT NULL,
    row_number INTEGER NOT NULL,
    received_at TIMESTAMP NOT NULL,
    verdict VARCHAR NOT NULL,
    failed_rules VARCHAR[] NOT NULL,
    row_key VARCHAR,
    alt_key VARCHAR,
    content_hash VARCHAR,
    is_current BOOLEAN NOT NULL,
    first_received_at TIMESTAMP,
    village_code VARCHAR,
    role VARCHAR,
    filled BOOLEAN,
    trained_on DATE,
    village_code_valid BOOLEAN,
    role_valid BOOLEAN,
    filled_valid BOOLEAN,
    trained_on_valid BOOLEAN,
    trained_is_filled BOOLEAN,
    PRIMARY KEY (submission_id, row_number)
);
