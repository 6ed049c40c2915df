-- Grain: one row a pseudonym secret; an existing one is left as it is.
INSERT INTO register.reg_secret VALUES ($purpose, 1, $secret, $created_at)
ON CONFLICT DO NOTHING;
