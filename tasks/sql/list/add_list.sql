-- Grain: one row, the revision just compiled.
INSERT INTO register.reg_list BY NAME
SELECT $campaign AS campaign, $revision AS revision, $as_of AS as_of, count(*)::INTEGER AS people
FROM list_person;
