-- Grain: one row a township figure about the visits of a month before that of a revision (of months up
-- to it where the revision has none): of the newest revision that $months, a phase of months, had
-- released of that month by then; of two campaigns that of the one named first. The last $most months.
WITH
this AS (
    SELECT period, created_at
    FROM ledger.out_revision
    WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
),
newest AS (
    SELECT released.campaign, released.phase, released.round, released.revision, released.period
    FROM ledger.out_revision AS released
    CROSS JOIN this
    WHERE released.phase = $months
        AND released.campaign IN (SELECT unnest($campaigns::VARCHAR[]))
        AND released.period IS NOT NULL
        AND released.created_at <= this.created_at
        AND (this.period IS NULL OR released.period < this.period)
    QUALIFY row_number() OVER (
        PARTITION BY released.period
        ORDER BY list_position($campaigns::VARCHAR[], released.campaign), released.round DESC,
            released.revision DESC
    ) = 1
)
SELECT newest.period, figure.name, figure.unit, figure.village, figure.value, figure.state
FROM newest
JOIN ledger.out_figure AS figure USING (campaign, phase, round, revision)
WHERE figure.village = '' AND figure.audience = 'office'
    AND figure.name IN ('visits_due', 'visits_done')
QUALIFY dense_rank() OVER (ORDER BY newest.period DESC) <= $most
ORDER BY newest.period, figure.name DESC;
