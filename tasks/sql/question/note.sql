-- Grain: one row a campaign: when one of its questions was answered last.
INSERT INTO ledger.agg_answered (campaign, answered_at)
VALUES ($campaign, $answered_at)
ON CONFLICT (campaign) DO UPDATE SET answered_at = excluded.answered_at;
