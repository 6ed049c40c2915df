-- Grain: one row a township figure about visits that the report of a revision may show of an earlier
-- month. Read by the gate for itself; the summary reads its own (report/months).
SELECT period, name, unit, '' AS village, arg_max_null(value, (place, round, revision)) AS value,
    arg_max_null(state, (place, round, revision)) AS state
FROM (
    SELECT shown.*, released.period, -list_position($campaigns::VARCHAR[], shown.campaign) AS place
    FROM ledger.out_figure AS shown
    JOIN ledger.out_revision AS released USING (campaign, phase, round, revision)
    JOIN ledger.out_revision AS this
        ON this.campaign = $campaign AND this.phase = $phase AND this.round = $round
        AND this.revision = $revision
    WHERE list_contains($campaigns::VARCHAR[], shown.campaign)
        AND shown.phase = CASE WHEN this.period IS NULL THEN 'supervision' ELSE this.phase END
        AND shown.audience = 'office' AND shown.village = ''
        AND shown.name IN ('visits_due', 'visits_done')
        AND released.created_at <= this.created_at
        AND coalesce(released.period < this.period, this.period IS NULL)
)
WHERE period IS NOT NULL
GROUP BY period, name, unit;
