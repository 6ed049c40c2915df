-- Grain: one row, what else a report of a revision may number: its data checks and its as_of.
SELECT
    released.as_of,
    coalesce(sum(checks.expectations), 0)::INTEGER AS expectations,
    coalesce(sum(checks.held), 0)::INTEGER AS held,
    count(checks.suite)::INTEGER AS suites
FROM ledger.out_revision AS released
LEFT JOIN ledger.out_check AS checks USING (campaign, phase, round, revision)
WHERE released.campaign = $campaign AND released.phase = $phase
    AND released.round = $round AND released.revision = $revision
GROUP BY released.as_of
