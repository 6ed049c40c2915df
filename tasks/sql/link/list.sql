-- Grain: one row a link of a campaign, by phase, round, village and time. No secret is in it.
SELECT phase, round, village, made_at, expires_at,
    CASE
        WHEN ended_by IS NOT NULL THEN ended_by
        WHEN expires_at <= $now THEN 'expired'
        ELSE 'open'
    END AS state
FROM ledger.agg_link
WHERE campaign = $campaign
ORDER BY phase, round, village, made_at, token_hash;
