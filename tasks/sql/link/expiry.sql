-- Grain: one row a new link: until when it is open.
SELECT token_hash, expires_at
FROM ledger.agg_link
WHERE token_hash IN (SELECT token_hash FROM new_link);
