-- Grain: one row a phase and round of a campaign that was released for good: its due day then. One that
-- was provisional may move when the year's calendar is published.
SELECT phase, round, arg_max(due, revision) AS due
FROM ledger.out_revision
WHERE campaign = $campaign AND status = 'due' AND NOT due_provisional
GROUP BY phase, round
ORDER BY phase, round;
