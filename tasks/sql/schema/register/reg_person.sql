-- Grain: one row a person and revision of a campaign's compiled list.
-- person_ref: the smallest referral_ref of the person's referrals. responsible_village: the residence
-- village where it is in the township, else the village of household registration (居住地为主、户籍地为辅).
-- register_no: set where the person is known to the register. waiting_since: the earliest consent.
-- Unique by campaign, revision, person_ref: proved by the check one_row_a_person before anything is
-- released, not by an index, which is held in memory while a large list is written.
CREATE TABLE IF NOT EXISTS register.reg_person (
    campaign VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    person_ref VARCHAR NOT NULL,
    responsible_village VARCHAR NOT NULL,
    residence_village VARCHAR NOT NULL,
    registered_village VARCHAR,
    care_setting VARCHAR NOT NULL,
    urgency VARCHAR NOT NULL,
    consent_scope VARCHAR NOT NULL,
    waiting_since DATE NOT NULL,
    register_no VARCHAR,
    referrals INTEGER NOT NULL
);
