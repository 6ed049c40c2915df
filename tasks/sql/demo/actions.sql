-- Grain: one row a thing to do of the first revision of each supervised month as of its due
-- day (later ones know of files that came late).
SELECT round, village, action
FROM ledger.agg_action
WHERE campaign = $campaign
    AND (round, revision) IN (SELECT (round, min(revision)) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'supervision' AND status = 'due' GROUP BY round)
ORDER BY round, village, position;
