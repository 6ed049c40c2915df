-- Grain: one row a phase and round of a campaign that was released: its newest revision, and whether
-- one of its revisions was made on the due day or later.
SELECT phase, round, max(revision)::INTEGER AS revision, bool_or(status = 'due') AS after_due
FROM ledger.out_revision
WHERE campaign = $campaign
GROUP BY phase, round
ORDER BY phase, round;
