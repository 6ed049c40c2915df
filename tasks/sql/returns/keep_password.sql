-- Grain: one row, the password of a sender's return workbooks from now on.
INSERT INTO register.reg_password BY NAME
SELECT $village AS village, $password AS password, $made_at AS made_at
ON CONFLICT (village) DO UPDATE SET password = excluded.password, made_at = excluded.made_at;
