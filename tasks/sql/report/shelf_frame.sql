-- Grain: one row a released revision of any campaign: its day, period and the sums of its data checks.
-- Read by the gate for itself; the shelf reads its own.
SELECT
    released.campaign,
    released.phase,
    released.round,
    released.revision,
    released.as_of,
    released.period,
    coalesce(sum(checks.expectations), 0)::INTEGER AS expectations,
    coalesce(sum(checks.held), 0)::INTEGER AS held
FROM ledger.out_revision AS released
LEFT JOIN ledger.out_check AS checks USING (campaign, phase, round, revision)
GROUP BY ALL;
