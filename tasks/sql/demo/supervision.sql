-- Grain: one row a village, month and visit figure of the first revision of each supervised month as of its due
-- day (later ones know of files that came late).
SELECT round, village, name, value::INTEGER AS value
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = 'supervision' AND village <> '' AND unit = 'visits'
    AND (round, revision) IN (SELECT (round, min(revision)) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'supervision' AND status = 'due' GROUP BY round)
ORDER BY round, village, name;
