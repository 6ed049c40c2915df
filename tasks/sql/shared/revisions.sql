-- Grain: one row a released revision of any campaign of the ledger, in the order of its release.
-- created_at: wall time of the campaign's zone.
SELECT campaign, phase, round, revision, period, as_of, due, status, created_at
FROM ledger.out_revision
ORDER BY created_at, campaign, phase, round, revision;
