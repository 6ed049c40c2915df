-- A date with the year first, eight digits, or an Excel serial (1900 system); else null.
-- 03/04/2025 and two-digit years stay null: they can be read in two ways.
CREATE OR REPLACE MACRO to_date(cell) AS
    CASE
        WHEN regexp_full_match(cell, '\d{4} ?[-./年] ?\d{1,2} ?[-./月] ?\d{1,2} ?[日号]?( 00:00(:00(\.0+)?)?)?')
            THEN try_cast(regexp_replace(
                cell, '^(\d{4}) ?[-./年] ?(\d{1,2}) ?[-./月] ?(\d{1,2}).*$', '\1-\2-\3') AS DATE)
        WHEN regexp_full_match(cell, '(19|20)\d{6}')
            THEN try_cast(cell[1:4] || '-' || cell[5:6] || '-' || cell[7:8] AS DATE)
        WHEN regexp_full_match(cell, '[1-5]\d{4}(\.0+)?')
            THEN DATE '1899-12-30' + try_cast(cell AS DOUBLE)::INTEGER
    END;
