-- Grain: one row a released revision of any campaign, with how many of its data checks held.
SELECT
    released.campaign,
    released.phase,
    released.round,
    released.revision,
    released.as_of,
    released.due,
    released.period,
    released.status,
    released.created_at,
    count(checks.suite)::INTEGER AS suites,
    coalesce(sum(checks.expectations), 0)::INTEGER AS expectations,
    coalesce(sum(checks.held), 0)::INTEGER AS held
FROM ledger.out_revision AS released
LEFT JOIN ledger.out_check AS checks USING (campaign, phase, round, revision)
GROUP BY ALL
ORDER BY ALL;
