-- Grain: one row a received file. What the ledger learns of it: that it came, and whether it counts.
INSERT INTO ledger.agg_submission
SELECT submission_id, campaign, phase, round, sender_village, received_at,
    accepted + unchanged > 0, nil
FROM register.raw_submission
ON CONFLICT (submission_id) DO UPDATE SET received_at = excluded.received_at
WHERE received_at <> excluded.received_at;
