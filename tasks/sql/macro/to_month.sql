-- The first day of a month written as 2025-11, 2025年11月, 2025.11, 202511 or any date in it; else null.
CREATE OR REPLACE MACRO to_month(cell) AS
    CASE
        WHEN regexp_full_match(cell, '\d{4} ?[-./年] ?\d{1,2} ?月?')
            THEN try_cast(regexp_replace(
                cell, '^(\d{4}) ?[-./年] ?(\d{1,2}).*$', '\1-\2-01') AS DATE)
        WHEN regexp_full_match(cell, '20\d{4}')
            THEN try_cast(cell[1:4] || '-' || cell[5:6] || '-01' AS DATE)
        ELSE date_trunc('month', to_date(cell))::DATE
    END;
