-- Grain: one row a referral: the person it belongs to, and the strongest link that joined it.
CREATE OR REPLACE TEMP TABLE list_person_referral AS
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
    CASE WHEN c.root = n.node THEN $first ELSE strongest.link END AS link
FROM list_node AS n
JOIN list_component AS c ON c.node = n.node
JOIN list_node AS first ON first.node = c.root
LEFT JOIN strongest ON strongest.node = n.node
WHERE NOT n.registered;
