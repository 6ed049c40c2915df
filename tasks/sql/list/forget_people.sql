-- Grain: none. The people of a list that is written are not kept in memory.
DROP TABLE IF EXISTS list_person;
