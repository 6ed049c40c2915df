-- Grain: one row a part of a revision's report or of a notice that passed the whole gate, the
-- register's names included. Mail goes out without the register, so only what stands here goes out.
-- phase: '' for a notice, whose number is its revision. kind: html, txt, json, csv, subject.
-- sha256: of the part's UTF-8 text. A part made anew after the wording changed is one more row.
CREATE TABLE IF NOT EXISTS ledger.out_part (
    campaign VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    PRIMARY KEY (campaign, phase, round, revision, kind, sha256)
);
