-- Grain: one row, the secret of a purpose in its newest version.
SELECT secret, version FROM register.reg_secret WHERE purpose = $purpose ORDER BY version DESC LIMIT 1;
