-- Whether a text can be a person's name: 2 to 40 letters, dots and spaces; no digits, no formula.
-- The length stands outside the pattern: a counted Unicode class takes RE2 very long to compile.
CREATE OR REPLACE MACRO name_check(cell) AS
    length(cell) BETWEEN 2 AND 40 AND regexp_full_match(cell, '\p{L}[\p{L}·•.''’ -]+');
