-- Grain: one row a village whose readiness checklist was accepted: whether every line of it is done.
SELECT
    sender_village AS village,
    bool_and(training_date IS NOT NULL AND drill_date IS NOT NULL AND emergency_plan_updated
        AND care_group_complete AND materials_delivered) AS readiness_complete
FROM register.stg_readiness
WHERE is_current AND campaign = $campaign
GROUP BY sender_village
ORDER BY sender_village;
