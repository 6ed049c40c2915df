-- Grain: one row: clinic sessions the plan has, and those up to $as_of that an outcome was recorded of,
-- whether it is still known or was erased.
SELECT
    count(*) AS sessions_planned,
    count(*) FILTER (
        WHERE session.day <= $as_of AND session.day IN (
            SELECT o.assessed_on
            FROM register.stg_assessment_outcome AS o
            WHERE o.campaign = $campaign AND o.is_current
            UNION ALL
            SELECT held.session_date
            FROM register.reg_session_held AS held
            WHERE held.campaign = $campaign
        )
    ) AS sessions_held
FROM (SELECT unnest($days) AS day) AS session;
