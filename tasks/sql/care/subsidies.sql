-- Grain: one row a village that reported a month up to $as_of: its months, the oldest first, each as it
-- was reported last, in whatever campaign. Counts of applications; no amounts are asked for.
SELECT
    village_code AS village,
    list({
        'last_day': last_day(month),
        'applied': coalesce(subsidy_applied, 0),
        'reviewed': subsidy_reviewed,
        'paid': coalesce(subsidy_paid, 0)
    } ORDER BY month) AS months
FROM (
    FROM register.stg_service_month
    WHERE is_current AND month <= $as_of AND list_contains($villages, village_code)
    QUALIFY row_number() OVER (
        PARTITION BY village_code, month ORDER BY received_at DESC, submission_id, row_number) = 1
)
GROUP BY village_code
ORDER BY village_code;
