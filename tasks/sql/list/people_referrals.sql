-- Grain: one row a referral: the person it belongs to, and the strongest link that joined it. A view,
-- as list/people.sql is.
CREATE OR REPLACE TEMP VIEW list_person_referral AS
WITH
strongest AS (
    SELECT node, arg_min(link, strength) AS link
    FROM (
        SELECT a AS node, link, strength FROM list_edge
        UNION ALL
        SELECT b, link, strength FROM list_edge
    )
    GROUP BY node
)
SELECT
    n.ref AS referral_ref,
    first.ref AS person_ref,
    CASE WHEN c.root = n.node THEN getvariable('list_scope').first ELSE strongest.link END AS link
FROM list_node AS n
JOIN list_component AS c ON c.node = n.node
JOIN list_node AS first ON first.node = c.root
LEFT JOIN strongest ON strongest.node = n.node
WHERE NOT n.registered
UNION ALL
SELECT alone.ref, alone.ref, getvariable('list_scope').first
FROM list_referral AS alone
ANTI JOIN list_node AS n ON n.ref = alone.ref AND NOT n.registered;
