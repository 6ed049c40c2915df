-- Grain: one row a pair to ask about, unless it turns out to be one person: the pairs of a doubtful
-- rule, and the links that a component in conflict gives up.
CREATE OR REPLACE TEMP TABLE list_doubt AS
SELECT p.a, p.b, p.rule AS reason
FROM list_pair AS p
WHERE p.strength IS NULL
UNION ALL
SELECT e.a, e.b, 'ids_differ'
FROM list_edge AS e
JOIN list_component AS c ON c.node = e.a
WHERE e.link <> 'resident_key' AND c.root IN (FROM list_conflict);
