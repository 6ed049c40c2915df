-- Grain: one row a figure of a village that a care group's sheet may show of an earlier month.
-- Read by the gate for itself; the sheet reads its own (report/trend).
SELECT shown.round, shown.name, shown.unit, shown.village, shown.value, shown.state
FROM ledger.out_figure AS shown
JOIN ledger.out_revision AS released USING (campaign, phase, round, revision)
WHERE shown.campaign = $campaign AND shown.phase = 'supervision' AND shown.audience = 'office'
    AND shown.village <> '' AND shown.round < $round AND shown.round >= $round - 5
    AND released.created_at <= (
        SELECT this.created_at
        FROM ledger.out_revision AS this
        WHERE this.campaign = $campaign AND this.phase = 'supervision' AND this.round = $round
            AND this.revision = $revision
    )
QUALIFY shown.revision = max(shown.revision) OVER (PARTITION BY shown.round)
