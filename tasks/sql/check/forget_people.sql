-- Grain: none. What the rules about people were asked of is not kept in memory.
DROP TABLE IF EXISTS check_reg_person;
