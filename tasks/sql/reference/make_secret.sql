-- Grain: one row a purpose's first secret; an existing one is left as it is.
INSERT INTO register.reg_secret VALUES ($purpose, 1, $secret, $created_at)
ON CONFLICT DO NOTHING;
