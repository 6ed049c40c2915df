-- Grain: one row a phase and round for which something came or a village was given longer: a hash of
-- both, by which a run knows whether there is more than it has seen. A file that was sent before, but
-- is known to have come earlier, changes it too; so a count would not do.
WITH line AS (
    SELECT phase, round, concat_ws(' ', 'file', village, received_at, counts, nil) AS line
    FROM ledger.agg_submission
    WHERE campaign = $campaign
    UNION ALL
    SELECT phase, round, concat_ws(' ', 'extended', village, due)
    FROM ledger.agg_extension
    WHERE campaign = $campaign
)
SELECT phase, round, sha256(string_agg(line, chr(10) ORDER BY line)) AS arrived
FROM line
GROUP BY phase, round
ORDER BY phase, round;
