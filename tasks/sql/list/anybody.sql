-- Grain: one row: whether anybody is on the list just compiled.
SELECT count(*) > 0 FROM list_person;
