-- Grain: one row a registered person and kind of service gap that the data shows at the end of $as_of,
-- and the day since when it does, or null where the data has no such day. Nothing is found of whoever
-- withdrew, died, moved away or was transferred. $township: the first nine digits of its village codes;
-- $lost: register numbers of those lost to follow-up (tasks/visits.py).
WITH person AS (
    SELECT entry.register_no, entry.registered_village, entry.residence_village, entry.confirmed_on
    FROM register.reg_registered AS entry
    ANTI JOIN register.reg_withdrawal AS gone ON gone.referral_ref = entry.referral_ref
    WHERE entry.confirmed_on <= $as_of
        -- whoever moved or was transferred and is met again owes a visit again
        AND NOT coalesce((
            SELECT bool_or(visit.state IN ('moved', 'transferred', 'died'))
                AND NOT bool_or(visit.state IN ('open', 'overdue'))
            FROM register.reg_visit_due AS visit
            WHERE visit.register_no = entry.register_no), false)
),
latest AS (
    SELECT register_no, visited_on, medication
    FROM register.stg_follow_up
    WHERE is_current AND visited_on <= $as_of AND medication IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY register_no
        ORDER BY visited_on DESC, received_at DESC, submission_id, row_number) = 1
)
SELECT register_no, 'lost_to_follow_up' AS kind, NULL::DATE AS since
FROM person
WHERE list_contains($lost::VARCHAR[], register_no)
UNION ALL
SELECT register_no, 'medication_interrupted', visited_on
FROM person JOIN latest USING (register_no)
WHERE medication IN ('2', '3')
UNION ALL
SELECT register_no, 'temporary_resident', confirmed_on
FROM person
WHERE starts_with(residence_village, $township) AND NOT starts_with(registered_village, $township)
ORDER BY register_no, kind;
