-- Grain: one row a person on the register at $until: what the follow-up from $first to then says. In
-- memory only. The fields are those of rules/national_rates.py. reg_visit_due stands as of $until.
CREATE OR REPLACE TABLE person_year AS
WITH
followed AS (
    SELECT
        register_no,
        visited_on,
        medication,
        stability,
        list_contains($seen, seen) AND stability IS NOT NULL AS is_complete
    FROM register.stg_follow_up
    WHERE is_current AND visited_on BETWEEN $first AND $until
    QUALIFY row_number() OVER (
        PARTITION BY register_no, visited_on
        ORDER BY is_complete DESC, received_at DESC, submission_id, row_number
    ) = 1
),
year AS (
    SELECT
        register_no,
        count(*) FILTER (WHERE is_complete) AS complete,
        coalesce(list(medication) FILTER (WHERE is_complete AND medication IS NOT NULL), [])
            AS medication,
        arg_max(CASE WHEN is_complete THEN stability ELSE '' END, visited_on) AS last_found
    FROM followed
    GROUP BY register_no
),
owed AS (
    SELECT
        register_no,
        bool_or(due_on BETWEEN $first AND $until AND state NOT IN ('done', 'open')) AS missed,
        bool_or(state IN ('died', 'moved', 'transferred'))
            AND NOT bool_or(state IN ('open', 'overdue')) AS has_left -- and was not met again
    FROM register.reg_visit_due
    GROUP BY register_no
)
SELECT
    person.register_no,
    greatest(person.confirmed_on, $first) AS since,
    $until AS until,
    coalesce(year.complete, 0) AS complete,
    coalesce(owed.missed, false) AS missed,
    coalesce(year.medication, []) AS medication,
    nullif(year.last_found, '') AS last_stability
FROM register.reg_registered AS person
ANTI JOIN register.reg_withdrawal AS gone
    ON gone.referral_ref = person.referral_ref AND gone.withdrawn_on <= $until
LEFT JOIN year USING (register_no)
LEFT JOIN owed USING (register_no)
WHERE person.confirmed_on <= $until AND NOT coalesce(owed.has_left, false)
