-- Grain: one row a day of a phase and round for which a run completed, the newest run last.
SELECT phase, round, as_of, ran_at, revision, arrived, followed
FROM ledger.agg_run
WHERE campaign = $campaign
ORDER BY position;
