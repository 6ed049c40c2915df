-- Grain: one row a head of the trail, kept in the ledger.
INSERT INTO ledger.agg_anchor VALUES ($position, $hash, $anchored_at)
ON CONFLICT DO NOTHING;
