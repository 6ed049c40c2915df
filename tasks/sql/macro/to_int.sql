-- A whole number of at most nine digits, or null. '12.0' is how some programs save 12.
CREATE OR REPLACE MACRO to_int(cell) AS
    CASE WHEN regexp_full_match(cell, '\d{1,9}(\.0+)?') THEN try_cast(cell AS DOUBLE)::INTEGER END;
