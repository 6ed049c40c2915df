-- Grain: one row a row of a received coverage sheet.
-- Every row read is here with its verdict. Typed values are kept only where the verdict is accepted:
-- a returned row lives in the return workbook, a row without consent nowhere. Rule columns are null
-- on a no_consent row. is_current: accepted and not replaced by a later correction.
-- received_at, first_received_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.stg_coverage (
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
    grid VARCHAR,
    households INTEGER,
    households_visited INTEGER,
    households_declined INTEGER,
    visits_from DATE,
    visits_to DATE,
    no_consent_count INTEGER,
    nil_return BOOLEAN,
    village_code_valid BOOLEAN,
    grid_valid BOOLEAN,
    households_valid BOOLEAN,
    households_visited_valid BOOLEAN,
    households_declined_valid BOOLEAN,
    visited_within_households BOOLEAN,
    visits_from_valid BOOLEAN,
    visits_to_valid BOOLEAN,
    visits_in_order BOOLEAN,
    no_consent_count_valid BOOLEAN,
    nil_return_valid BOOLEAN,
    nil_return_true BOOLEAN,
    PRIMARY KEY (submission_id, row_number)
);
