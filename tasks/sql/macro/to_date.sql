-- A date with the year first (also with a weekday or midnight behind it), eight digits, Chinese
-- numerals, an English month by name, or an Excel serial (1900 system); else null.
-- 03/04/2025 and two-digit years stay null: they can be read in two ways.
CREATE OR REPLACE MACRO to_date(cell) AS
    CASE
        WHEN regexp_full_match(cell, '\d{4} ?[-./年、 ] ?\d{1,2} ?[-./月、 ] ?\d{1,2} ?[日号.]?,? ?\(?((星期|周|礼拜)[一二三四五六日天])?\)?([ T]?0?0:00(:00(\.0+)?)?Z?)?')
            THEN try_cast(regexp_replace(
                cell, '^(\d{4}) ?[-./年、 ] ?(\d{1,2}) ?[-./月、 ] ?(\d{1,2}).*$', '\1-\2-\3') AS DATE)
        WHEN regexp_full_match(cell, '(19|20)\d{6}')
            THEN try_cast(cell[1:4] || '-' || cell[5:6] || '-' || cell[7:8] AS DATE)
        WHEN regexp_full_match(cell, '[1-5]\d{4}(\.0+)?')
            THEN DATE '1899-12-30' + try_cast(cell AS DOUBLE)::INTEGER
        WHEN regexp_full_match(cell, '[12一二][〇○零0-9一二三四五六七八九]{3}年[0-9一二三四五六七八九十]{1,2}月[0-9一二三四五六七八九十]{1,3}[日号]')
            THEN try_cast(replace(replace(trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                translate(cell, '〇○零一二三四五六七八九号', '000123456789日'),
                '(\d)十(\d)', '\1\2', 'g'), '(\d)十', '\10', 'g'), '十(\d)', '1\1', 'g'), '十', '10', 'g'),
                '日'), '年', '-'), '月', '-') AS DATE)
        WHEN regexp_full_match(lower(cell), '\d{1,2}[- ](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(uary|ruary|ch|il|e|y|ust|tember|ober|ember)?\.?[- ]\d{4}')
            THEN try_strptime(regexp_replace(
                lower(cell), '^(\d{1,2})[- ]([a-z]{3})[a-z.]*[- ](\d{4})$', '\1 \2 \3'), '%d %b %Y')::DATE
    END;
