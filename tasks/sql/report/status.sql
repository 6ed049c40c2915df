-- Grain: one row a phase and round of a campaign that was released: its newest revision.
SELECT phase, round, max(revision)::INTEGER AS revision, max(as_of) AS as_of
FROM ledger.out_revision
WHERE campaign = $campaign
GROUP BY phase, round
ORDER BY phase, round;
