-- A name as it is kept: spaces typed between the characters of a Chinese name are not part of it.
CREATE OR REPLACE MACRO person_name(cell) AS
    if(regexp_full_match(cell, '[\p{Han} ]+'), replace(cell, ' ', ''), cell);
