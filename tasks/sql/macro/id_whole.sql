-- Whether a resident ID, or a blank, still has all its digits: Excel keeps 15 of a number, and what it
-- made of the rest cannot be guessed back.
CREATE OR REPLACE MACRO id_whole(id) AS
    id IS NULL OR NOT regexp_full_match(id, '\d(\.\d+)?E\+?\d+|\d{15}000');
