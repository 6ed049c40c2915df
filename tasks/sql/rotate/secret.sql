-- Grain: one row, the next secret of the pseudonyms.
INSERT INTO register.reg_secret
SELECT $purpose, max(version) + 1, $secret, $created_at
FROM register.reg_secret
WHERE purpose = $purpose;
