-- Grain: one row a phase and round of a campaign that was released at its due day or later: the due day
-- by which its figures were judged last.
SELECT phase, round, arg_max(due, revision) AS due
FROM ledger.out_revision
WHERE campaign = $campaign AND status = 'due'
GROUP BY phase, round
ORDER BY phase, round;
