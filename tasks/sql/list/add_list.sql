-- Grain: one row, the revision whose people were just added.
INSERT INTO register.reg_list BY NAME
SELECT $campaign AS campaign, $revision AS revision, $as_of AS as_of, count(*)::INTEGER AS people
FROM register.reg_person
WHERE campaign = $campaign AND revision = $revision;
