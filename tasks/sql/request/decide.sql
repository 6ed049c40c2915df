-- Grain: one decision; the first one holds.
INSERT INTO ledger.agg_decision BY NAME
SELECT
    $request_hash AS request_hash,
    $decision AS decision,
    $decided_by AS decided_by,
    $reason AS reason,
    $decided_at AS decided_at
ON CONFLICT DO NOTHING;
