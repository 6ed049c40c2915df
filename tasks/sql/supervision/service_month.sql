-- Grain: one row a village whose service month was accepted: what it says.
-- status_updated: the care group's people were gone through in the month itself or after it.
SELECT
    village_code AS village,
    care_group_met,
    coalesce(status_updated_on >= $month, false) AS status_updated,
    guardian_contacts,
    rehabilitation_sessions,
    subsidy_applied,
    subsidy_reviewed,
    subsidy_paid
FROM register.stg_service_month
WHERE campaign = $campaign
    AND is_current
    AND month = $month
QUALIFY row_number() OVER (
    PARTITION BY village_code
    ORDER BY received_at DESC, submission_id, row_number
) = 1;
