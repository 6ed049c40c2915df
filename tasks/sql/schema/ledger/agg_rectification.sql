-- Grain: one row a named shortfall of a village's service. No people: shortfall is a rule's name.
-- closed_on is set only when a later month shows it made good.
CREATE TABLE IF NOT EXISTS ledger.agg_rectification (
    campaign VARCHAR NOT NULL,
    village VARCHAR NOT NULL,
    shortfall VARCHAR NOT NULL,
    opened_round INTEGER NOT NULL,
    opened_on DATE NOT NULL,
    due DATE NOT NULL,
    due_provisional BOOLEAN NOT NULL,
    closed_round INTEGER,
    closed_on DATE,
    PRIMARY KEY (campaign, village, shortfall, opened_round)
);
