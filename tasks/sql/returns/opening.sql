-- Grain: one row a password that a file sent here may be locked with: of a sender's return workbooks
-- (label: its code), of a session sheet that is still there (label: the file's name).
SELECT village AS label, password FROM register.reg_password
UNION ALL
SELECT regexp_extract(path, '([^/]+)\.xlsx$', 1), password
FROM register.reg_export
WHERE password IS NOT NULL
ORDER BY label;
