-- Grain: one row a current referral and revision of a compiled list: which person it belongs to.
-- link: why it was joined ('first', 'resident_key', or the name of the certain rule, or 'answered').
-- Unique by campaign, revision, referral_ref: proved by the check one_person_a_referral before anything is
-- released, not by an index, which is held in memory while a large list is written.
CREATE TABLE IF NOT EXISTS register.reg_person_referral (
    campaign VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    referral_ref VARCHAR NOT NULL,
    person_ref VARCHAR NOT NULL,
    link VARCHAR NOT NULL
);
