-- Grain: one row a village whose readiness checklist of the campaign was accepted: which of its lines are
-- done.
SELECT
    sender_village AS village,
    training_date IS NOT NULL AS training_held,
    emergency_plan_updated AS plan_updated,
    drill_date IS NOT NULL AS drill_held,
    care_group_complete,
    materials_delivered
FROM register.stg_readiness
WHERE campaign = $campaign AND round = $round AND is_current
QUALIFY row_number() OVER (
    PARTITION BY sender_village
    ORDER BY received_at DESC, submission_id, row_number
) = 1
ORDER BY village;
