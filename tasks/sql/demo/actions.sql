-- Grain: one row a thing to do of the newest revision of each supervised month.
SELECT round, village, action
FROM ledger.agg_action
WHERE campaign = $campaign
    AND (round, revision) IN (SELECT (round, max(revision)) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'supervision' GROUP BY round)
ORDER BY round, village, position;
