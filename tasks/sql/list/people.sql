-- Grain: one row a person: the referrals joined into one, or one alone. Of several referrals the one
-- with the latest consent speaks, then the one of the highest round, sender village and row number.
-- A view: a large list goes straight into the register, and is not held in memory before.
CREATE OR REPLACE TEMP VIEW list_person AS
WITH
member AS (
    SELECT c.root, n.*
    FROM list_component AS c
    JOIN list_node AS n ON n.node = c.node
),
whole AS (
    SELECT
        root,
        bool_or(urgency = 'soon') AS soon,
        min(consent_date) AS waiting_since,
        min(ref) FILTER (WHERE registered) AS register_no,
        count(*) FILTER (WHERE NOT registered) AS referrals
    FROM member
    GROUP BY root
),
latest AS (
    SELECT *
    FROM member
    WHERE NOT registered
    QUALIFY row_number() OVER (
        PARTITION BY root
        ORDER BY consent_date DESC, round DESC, sender_village DESC, row_number DESC
    ) = 1
)
SELECT
    first.ref AS person_ref,
    latest.responsible_village,
    latest.residence_village,
    latest.registered_village,
    latest.care_setting,
    CASE WHEN whole.soon THEN 'soon' ELSE 'routine' END AS urgency,
    latest.consent_scope,
    whole.waiting_since,
    whole.register_no,
    whole.referrals::INTEGER AS referrals
FROM latest
JOIN whole ON whole.root = latest.root
JOIN list_node AS first ON first.node = latest.root
UNION ALL
SELECT
    alone.ref,
    alone.responsible_village,
    alone.residence_village,
    alone.registered_village,
    alone.care_setting,
    CASE WHEN alone.urgency = 'soon' THEN 'soon' ELSE 'routine' END,
    alone.consent_scope,
    alone.consent_date,
    NULL,
    1
FROM list_referral AS alone
ANTI JOIN list_node AS n ON n.ref = alone.ref AND NOT n.registered;
