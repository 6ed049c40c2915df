-- Whether a number is a mobile or a landline number of the mainland (with or without dashes).
CREATE OR REPLACE MACRO phone_check(cell) AS
    regexp_full_match(replace(replace(cell, '-', ''), ' ', ''), '(\+?86)?1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}');
