-- Grain: one row a figure of a village in a month up to five before that of a revision: of the newest
-- revision of that month that was released by then.
WITH newest AS (
    SELECT earlier.round, max(earlier.revision) AS revision
    FROM ledger.out_revision AS earlier
    JOIN ledger.out_revision AS this
        ON this.campaign = $campaign AND this.phase = 'supervision' AND this.round = $round
        AND this.revision = $revision AND earlier.created_at <= this.created_at
    WHERE earlier.campaign = $campaign AND earlier.phase = 'supervision'
        AND earlier.round BETWEEN $round - 5 AND $round - 1
    GROUP BY earlier.round
)
SELECT
    newest.round, released.period, released.as_of, figure.name, figure.unit, figure.village, figure.value,
    figure.state
FROM newest
JOIN ledger.out_revision AS released
    ON released.campaign = $campaign AND released.phase = 'supervision'
    AND released.round = newest.round AND released.revision = newest.revision
JOIN ledger.out_figure AS figure
    ON figure.campaign = $campaign AND figure.phase = 'supervision'
    AND figure.round = newest.round AND figure.revision = newest.revision
WHERE figure.village <> '' AND figure.audience = 'office'
ORDER BY newest.round, figure.position
