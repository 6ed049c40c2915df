-- The value of a closed list that a spelling stands for, or null. The lists are in ref_choice.
CREATE OR REPLACE MACRO to_choice(list_name, cell) AS
    (SELECT value FROM ref_choice WHERE list = list_name AND spelling = lower(cell));
