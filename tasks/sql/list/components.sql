-- Grain: one row a record: root is the smallest node it is joined to over list_edge.
-- Each step carries on only from the records whose root became smaller (USING KEY).
CREATE OR REPLACE TEMP TABLE list_component AS
WITH RECURSIVE
both_ways AS (
    SELECT a, b FROM list_edge
    UNION ALL
    SELECT b, a FROM list_edge
),
joined (node, root) USING KEY (node) AS (
    SELECT a, least(a, min(b))
    FROM both_ways
    GROUP BY a
    UNION
    SELECT near.b, min(changed.root)
    FROM joined AS changed
    JOIN both_ways AS near ON near.a = changed.node
    JOIN recurring.joined AS known ON known.node = near.b
    WHERE changed.root < known.root
    GROUP BY near.b
)
SELECT n.node, coalesce(joined.root, n.node) AS root
FROM list_node AS n
LEFT JOIN joined ON joined.node = n.node;
