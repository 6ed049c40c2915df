-- Grain: one row a village, month and visit figure of the newest revision of each supervised month.
SELECT round, village, name, value::INTEGER AS value
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = 'supervision' AND village <> '' AND unit = 'visits'
    AND (round, revision) IN (SELECT (round, max(revision)) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'supervision' GROUP BY round)
ORDER BY round, village, name;
