-- Grain: one row a count of people in a revision: what stays on the private side of its release.
-- exact: the count behind the figure, null where not reported. secondary: withheld to protect another
-- count, or counted so; a reader must not learn which. withhold_to, round_to: the plan's numbers then.
CREATE TABLE IF NOT EXISTS register.reg_released_count (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    exact INTEGER,
    secondary BOOLEAN NOT NULL,
    withhold_to INTEGER NOT NULL,
    round_to INTEGER NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision, name, village)
);
