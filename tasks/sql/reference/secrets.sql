-- Grain: one row a secret of a purpose, the oldest first.
SELECT secret FROM register.reg_secret WHERE purpose = $purpose ORDER BY version;
