-- Grain: one row a person on the register: a psychiatrist's diagnosis and consent to community
-- management. source: 'import' (the health centre's standing register) or 'assessment' (enrolled
-- from an outcome of a campaign, whose referral_ref is then given).
CREATE TABLE IF NOT EXISTS register.reg_registered (
    register_no VARCHAR PRIMARY KEY,
    full_name VARCHAR NOT NULL,
    sex VARCHAR NOT NULL,
    birth_date DATE NOT NULL,
    resident_key VARCHAR,
    residence_village VARCHAR NOT NULL,
    registered_village VARCHAR,
    phone VARCHAR,
    diagnosis VARCHAR NOT NULL,
    confirmed_on DATE NOT NULL,
    psychiatrist_licence VARCHAR NOT NULL,
    stability VARCHAR,
    last_visited_on DATE,
    source VARCHAR NOT NULL,
    referral_ref VARCHAR
);
