-- Grain: one row, the link that was used; none where it was open no longer.
UPDATE ledger.agg_link
SET ended_by = 'use', ended_at = $now
WHERE token_hash = $token_hash AND ended_by IS NULL
RETURNING token_hash;
