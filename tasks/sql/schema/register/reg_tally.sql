-- Grain: one row a figure of a campaign, its phase, round and village: how many people that retention
-- erased stood in it. A bare number added to what is counted, so that a figure does not fall because
-- somebody was forgotten. round: 0, and village: '', where the figure has none.
CREATE TABLE IF NOT EXISTS register.reg_tally (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (campaign, phase, round, name, village)
);
