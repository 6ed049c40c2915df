-- Grain: one row a component of certain links that cannot be one person: it holds two identity
-- numbers, two register entries, or two records that a human told apart.
CREATE OR REPLACE TEMP TABLE list_conflict AS
SELECT c.root
FROM list_component AS c
JOIN list_node AS n ON n.node = c.node
-- who was joined with nobody is not looked at
WHERE c.root IN (SELECT root FROM list_component WHERE node <> root)
GROUP BY c.root
HAVING count(DISTINCT n.resident_key) > 1
    OR count(DISTINCT CASE WHEN n.registered THEN coalesce(n.resident_key, n.ref) END) > 1
UNION
SELECT ca.root
FROM list_answer AS said
JOIN list_component AS ca ON ca.node = said.a
JOIN list_component AS cb ON cb.node = said.b AND cb.root = ca.root
WHERE said.answer = 'different';
