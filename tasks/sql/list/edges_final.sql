-- Grain: one row a link that holds: certain, or answered "same". A component in conflict keeps only
-- its links by identity number.
CREATE OR REPLACE TEMP TABLE list_edge AS
SELECT e.a, e.b, e.link, e.strength
FROM list_edge AS e
JOIN list_component AS c ON c.node = e.a
WHERE e.link = 'resident_key' OR c.root NOT IN (FROM list_conflict)
UNION ALL
SELECT said.a, said.b, $answered, 1 + len($certain)
FROM list_answer AS said
WHERE said.answer = 'same';
