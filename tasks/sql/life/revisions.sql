-- Grain: one row a phase and round that was released: its newest revision, and the month or quarter it
-- looked back on.
SELECT phase, round, max(revision)::INTEGER AS revision, arg_max(period, revision) AS period
FROM ledger.out_revision
WHERE campaign = $campaign
GROUP BY phase, round
ORDER BY phase, round;
