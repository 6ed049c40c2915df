-- Grain: one row, the open link of this secret; none where it is wrong, over, or ended: a stranger must
-- not learn which of these. extended_to: the village's later due day, if it has one.
SELECT link.campaign, link.phase, link.round, link.village, link.expires_at, link.token_hash,
    extension.due AS extended_to
FROM ledger.agg_link AS link
LEFT JOIN ledger.agg_extension AS extension USING (campaign, phase, round, village)
WHERE link.token_hash = $token_hash AND link.campaign = $campaign
    AND link.ended_by IS NULL AND link.expires_at > $now;
