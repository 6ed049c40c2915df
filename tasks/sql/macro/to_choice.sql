-- The value of a closed list that a spelling stands for, or null. The lists are in ref_choice. A list is
-- read once a statement: looked up row by row, each cell would keep a copy of the whole row waiting.
CREATE OR REPLACE MACRO to_choice(list_name, cell) AS
    (SELECT map(list(spelling), list(value)) FROM ref_choice WHERE list = list_name)[lower(cell)];
