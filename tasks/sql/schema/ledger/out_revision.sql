-- Grain: one row a released revision of a phase's figures. A revision is never changed.
-- round: 0 for a phase without rounds. content: SHA-256 of its figures, to tell a rerun from news.
-- status: 'interim' before the due day, 'due' from then on. period: e.g. 2025-11 for a monthly phase.
CREATE TABLE IF NOT EXISTS ledger.out_revision (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    as_of DATE NOT NULL,
    due DATE,
    due_provisional BOOLEAN NOT NULL,
    period VARCHAR,
    status VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision)
);
