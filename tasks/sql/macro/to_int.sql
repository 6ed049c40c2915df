-- A whole number of at most nine digits, or null. '12.0' is how some programs save 12; '1,200' has its
-- thousands apart, in groups of three only: '1,20' and '12,00' are two numbers, or none.
CREATE OR REPLACE MACRO to_int(cell) AS
    CASE WHEN regexp_full_match(cell, '(\d{1,9}|[1-9]\d{0,2}(,\d{3}){1,2})(\.0+)?')
        THEN try_cast(replace(cell, ',', '') AS DOUBLE)::INTEGER END;
