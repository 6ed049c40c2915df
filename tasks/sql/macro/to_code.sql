-- A 12-digit statistical code, or null.
CREATE OR REPLACE MACRO to_code(cell) AS
    CASE WHEN regexp_full_match(cell, '\d{12}') THEN cell END;
