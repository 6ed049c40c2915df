-- Grain: one row a township figure of another phase that a campaign released in the quarter, from the
-- newest revision of its round up to $as_of, as it was released. A round is of the quarter by its month,
-- else by its due day, else by the day of the revision. Copies are not copied again.
WITH newest AS (
    SELECT phase, round, revision, period, due, as_of
    FROM ledger.out_revision
    WHERE campaign = $campaign AND as_of <= $as_of
        AND phase NOT IN ('supervision', 'quarterly_pack')
    QUALIFY row_number() OVER (PARTITION BY phase, round ORDER BY revision DESC) = 1
)
SELECT newest.phase, newest.round, figure.name, figure.unit, figure.value, figure.state
FROM newest
JOIN ledger.out_figure AS figure
    ON figure.campaign = $campaign AND figure.phase = newest.phase
        AND figure.round = newest.round AND figure.revision = newest.revision
WHERE figure.village = '' AND figure.audience = 'office'
    AND NOT starts_with(figure.name, 'returned_')
    AND (
        coalesce(strptime(newest.period || '-01', '%Y-%m-%d')::DATE, newest.due)
            BETWEEN $first AND $last
        OR newest.period IS NULL AND newest.as_of BETWEEN $first AND $last
    )
ORDER BY newest.phase, newest.round, figure.position;
