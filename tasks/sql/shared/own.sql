-- Grain: one row a row of the shared ledger that stands under a township's code, whoever put it there.
-- shared_at: UTC without a zone.
SELECT
    campaign, phase, round, revision, body, signature, shared_at AT TIME ZONE 'UTC' AS shared_at
FROM shared.release
WHERE township = $township
ORDER BY campaign, phase, round, revision, shared_at;
