-- Grain: one row a sender, with the password of its return workbooks from now on.
INSERT INTO register.reg_password BY NAME
SELECT
    unnest($villages) AS village, unnest($passwords) AS password, unnest($made_at) AS made_at
ON CONFLICT (village) DO UPDATE SET password = excluded.password, made_at = excluded.made_at;
