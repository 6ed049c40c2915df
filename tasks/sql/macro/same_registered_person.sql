-- Whether a register entry that came with the return number of another is that one, corrected.
CREATE OR REPLACE MACRO same_registered_person(was, said) AS same_person(was, said);
