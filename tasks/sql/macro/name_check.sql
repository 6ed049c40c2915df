-- Whether a text can be a person's name: 2 to 40 letters, dots and spaces; no digits, no formula.
CREATE OR REPLACE MACRO name_check(cell) AS
    regexp_full_match(cell, '[\p{L}·•.''’ -]{2,40}') AND regexp_full_match(cell[1], '\p{L}');
