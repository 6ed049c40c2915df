-- Grain: one row, the link that takes the place of a used one: the same village, phase, round and end.
INSERT INTO ledger.agg_link BY NAME
SELECT $next_hash AS token_hash, campaign, phase, round, village, expires_at, 'link' AS made_by,
    $now AS made_at
FROM ledger.agg_link
WHERE token_hash = $token_hash;
