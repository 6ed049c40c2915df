-- Grain: one row a row of a received follow_up sheet.
-- Every row read is here with its verdict. Typed values are kept only where the verdict is accepted:
-- a returned row lives in the return workbook, a row without consent nowhere. Rule columns are null
-- on a no_consent row. is_current: accepted and not replaced by a later correction.
-- received_at, first_received_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.stg_follow_up (
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
    register_no VARCHAR,
    visited_on DATE,
    entered_on DATE,
    mode VARCHAR,
    seen VARCHAR,
    stability VARCHAR,
    rating INTEGER,
    medication VARCHAR,
    adverse_reaction BOOLEAN,
    lost_reason VARCHAR,
    clinician_licence VARCHAR,
    register_no_known BOOLEAN,
    visited_on_valid BOOLEAN,
    entered_on_valid BOOLEAN,
    mode_valid BOOLEAN,
    seen_valid BOOLEAN,
    stability_valid BOOLEAN,
    rating_valid BOOLEAN,
    medication_valid BOOLEAN,
    adverse_reaction_valid BOOLEAN,
    lost_reason_valid BOOLEAN,
    clinician_licence_valid BOOLEAN,
    PRIMARY KEY (submission_id, row_number)
);
