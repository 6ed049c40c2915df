-- Grain: one row a row of a received service_month sheet.
-- Every row read is here with its verdict. Typed values are kept only where the verdict is accepted:
-- a returned row lives in the return workbook, a row without consent nowhere. Rule columns are null
-- on a no_consent row. is_current: accepted and not replaced by a later correction.
-- received_at, first_received_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.stg_service_month (
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
    month DATE,
    care_group_met BOOLEAN,
    status_updated_on DATE,
    guardian_contacts INTEGER,
    rehabilitation_sessions INTEGER,
    subsidy_applied INTEGER,
    subsidy_paid INTEGER,
    problems_raised INTEGER,
    village_code_valid BOOLEAN,
    month_valid BOOLEAN,
    care_group_met_valid BOOLEAN,
    status_updated_on_valid BOOLEAN,
    guardian_contacts_valid BOOLEAN,
    rehabilitation_sessions_valid BOOLEAN,
    subsidy_applied_valid BOOLEAN,
    subsidy_paid_valid BOOLEAN,
    subsidy_paid_within_applied BOOLEAN,
    problems_raised_valid BOOLEAN,
    PRIMARY KEY (submission_id, row_number)
);
