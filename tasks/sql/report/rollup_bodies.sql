-- Grain: one row a text under the newest revision of a township's phase and round, with its
-- signature, as the shared ledger had it at the snapshot.
SELECT DISTINCT township, phase, round, revision, body, signature
FROM shared.release AT (VERSION => $snapshot)
WHERE campaign = $campaign
QUALIFY revision = max(revision) OVER (PARTITION BY township, phase, round);
