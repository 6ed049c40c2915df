-- Grain: one row a link of these villages, phase and round that was open and ends now.
UPDATE ledger.agg_link
SET ended_by = $why, ended_at = $now
WHERE campaign = $campaign AND phase = $phase AND round = $round
    AND list_contains($villages, village) AND ended_by IS NULL AND expires_at > $now
RETURNING village;
