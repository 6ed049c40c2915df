-- Grain: one row a village and role of its care group: what the village said of it last, in whatever
-- file and campaign, up to the end of $as_of.
SELECT village_code AS village, role, filled, trained_on, received_at::DATE AS stated_on
FROM register.stg_care_group
WHERE verdict = 'accepted'
    AND received_at::DATE <= $as_of
    AND list_contains($villages, village_code)
QUALIFY row_number() OVER (
    PARTITION BY village_code, role ORDER BY received_at DESC, submission_id, row_number) = 1
ORDER BY village_code, role;
