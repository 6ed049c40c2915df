-- Grain: one row a row of a received assessment_outcome sheet.
-- Every row read is here with its verdict. Typed values are kept only where the verdict is accepted:
-- a returned row lives in the return workbook, a row without consent nowhere. Rule columns are null
-- on a no_consent row. is_current: accepted and not replaced by a later correction.
-- received_at, first_received_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.stg_assessment_outcome (
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
    referral_ref VARCHAR,
    assessed_on DATE,
    psychiatrist_licence VARCHAR,
    outcome VARCHAR,
    diagnosis VARCHAR,
    management_consent BOOLEAN,
    second_opinion_requested BOOLEAN,
    referral_ref_known BOOLEAN,
    assessed_on_valid BOOLEAN,
    psychiatrist_licence_valid BOOLEAN,
    outcome_valid BOOLEAN,
    diagnosis_valid BOOLEAN,
    diagnosis_only_confirmed BOOLEAN,
    management_consent_valid BOOLEAN,
    second_opinion_requested_valid BOOLEAN,
    PRIMARY KEY (submission_id, row_number)
);
