-- Grain: one row a person of the revision just compiled.
INSERT INTO register.reg_person BY NAME
SELECT $campaign AS campaign, $revision AS revision, * FROM list_person;
