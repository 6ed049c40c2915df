-- Grain: one row a doubtful pair of a campaign, put to a human. ref_a < ref_b; ref_b is a referral_ref
-- or, for a pair of a referral and a registered person, a register_no (against_register).
-- question_id: a short keyed hash of the pair, stable over reruns. reason: the rule that doubts.
-- answer: 'same', 'different' or null while open; by whom, when and why are kept.
CREATE TABLE IF NOT EXISTS register.reg_question (
    campaign VARCHAR NOT NULL,
    question_id VARCHAR NOT NULL,
    ref_a VARCHAR NOT NULL,
    ref_b VARCHAR NOT NULL,
    against_register BOOLEAN NOT NULL,
    reason VARCHAR NOT NULL,
    agrees VARCHAR[] NOT NULL,
    differs VARCHAR[] NOT NULL,
    answer VARCHAR,
    answered_by VARCHAR,
    answered_at TIMESTAMP,
    PRIMARY KEY (campaign, question_id)
);
