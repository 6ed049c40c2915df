-- Grain: one row a row read of a received file that was not refused, whatever became of it.
-- cells: the row as it came, in the order of the contract's columns, without the ID number (kept as a
-- keyed hash only, in stg_*); null unless the verdict is accepted, so that nothing of a row without
-- valid consent is here. corrected_on: the day the person's own correction was put in place of a cell.
-- Unique by submission_id, sheet, row_number, as the sheets' stg_ tables are.
CREATE TABLE IF NOT EXISTS register.raw_row (
    submission_id VARCHAR NOT NULL,
    sheet VARCHAR NOT NULL,
    row_number INTEGER NOT NULL,
    verdict VARCHAR NOT NULL,
    cells VARCHAR[],
    corrected_on DATE,
    CHECK (verdict = 'accepted' OR cells IS NULL)
);
