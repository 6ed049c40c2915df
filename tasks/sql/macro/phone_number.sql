-- A telephone number without spaces, dashes and the country code in front of a mobile number.
CREATE OR REPLACE MACRO phone_number(cell) AS
    regexp_replace(regexp_replace(cell, '[ -]', '', 'g'), '^\+?86(1)', '\1');
