-- Grain: one row a village and figure of the newest revision of readiness.
SELECT village, name, value::INTEGER AS value
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = 'readiness' AND village <> ''
    AND revision = (SELECT max(revision) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'readiness')
ORDER BY village, name;
