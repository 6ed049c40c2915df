-- A 12-digit statistical code, or null. '990101101201.0' is how some programs save a code as a number.
CREATE OR REPLACE MACRO to_code(cell) AS
    CASE WHEN regexp_full_match(cell, '\d{12}(\.0+)?') THEN cell[1:12] END;
