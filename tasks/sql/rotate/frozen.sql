-- Grain: one row a frozen record: without the hashes in it (of 32 or 64 digits). Nothing reads them any
-- more, and inside a text they cannot be moved on.
UPDATE register.reg_frozen
SET records = regexp_replace(records, '"[0-9a-f]{32}([0-9a-f]{32})?"', 'null', 'g')
WHERE regexp_matches(records, '"[0-9a-f]{32}([0-9a-f]{32})?"');
