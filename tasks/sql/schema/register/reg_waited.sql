-- Grain: one row a length of a wait, from consent to the first assessment: how many people whom
-- retention erased had waited so long. Bare numbers, for the median and percentile of waiting.
CREATE TABLE IF NOT EXISTS register.reg_waited (
    campaign VARCHAR NOT NULL,
    days INTEGER NOT NULL,
    people INTEGER NOT NULL,
    PRIMARY KEY (campaign, days)
);
