-- Grain: one row a phase and round for which something came or a village was given longer: a hash of
-- both, by which a run knows whether there is more than it has seen. A file that was sent before, but
-- is known to have come earlier, changes it too; so a count would not do. List and queue rest on the
-- answers to doubtful pairs too, and the queue on every referral, also after its last day.
WITH line AS (
    SELECT phase, round, concat_ws(' ', 'file', village, received_at, counts, nil) AS line
    FROM ledger.agg_submission
    WHERE campaign = $campaign
    UNION ALL
    SELECT phase, round, concat_ws(' ', 'extended', village, due)
    FROM ledger.agg_extension
    WHERE campaign = $campaign
    UNION ALL
    SELECT
        'diagnosis_queue', 0, concat_ws(' ', 'file', round, village, received_at, counts, nil)
    FROM ledger.agg_submission
    WHERE campaign = $campaign AND phase = 'sweep'
    UNION ALL
    SELECT phase, 0, concat_ws(' ', 'answered', answered_at)
    FROM ledger.agg_answered
    CROSS JOIN (VALUES ('list_compilation'), ('diagnosis_queue')) AS resting (phase)
    WHERE campaign = $campaign
)
SELECT phase, round, sha256(string_agg(line, chr(10) ORDER BY line)) AS arrived
FROM line
GROUP BY phase, round
ORDER BY phase, round;
