-- Grain: one row a figure of the first revision of each follow-up phase as of its due day.
SELECT round, village, name, unit, value::INTEGER AS value, state
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = 'follow_up'
    AND (round, revision) IN (SELECT (round, min(revision)) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = 'follow_up' AND status = 'due' GROUP BY round)
ORDER BY round, village, name;
