-- Whether a text has the form of a clinician's licence number: 8 to 24 letters and digits.
CREATE OR REPLACE MACRO licence_check(cell) AS
    regexp_full_match(cell, '[0-9A-Za-z]{8,24}');
