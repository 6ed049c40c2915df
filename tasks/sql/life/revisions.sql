-- Grain: one row a phase and round that was released: its newest revision.
SELECT phase, round, max(revision)::INTEGER AS revision
FROM ledger.out_revision
WHERE campaign = $campaign
GROUP BY phase, round
ORDER BY phase, round;
