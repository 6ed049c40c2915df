-- Grain: one row a withdrawn referral: it leaves list and queue at once, whatever else is known.
CREATE TABLE IF NOT EXISTS register.reg_withdrawal (
    campaign VARCHAR NOT NULL,
    referral_ref VARCHAR NOT NULL,
    withdrawn_on DATE NOT NULL,
    reason VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, referral_ref)
);
