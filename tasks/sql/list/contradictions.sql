-- Grain: one row a question answered "different" whose two records other answers made one person.
SELECT said.question_id
FROM list_answer AS said
JOIN list_component AS ca ON ca.node = said.a
JOIN list_component AS cb ON cb.node = said.b AND cb.root = ca.root
JOIN list_node AS a ON a.node = said.a
JOIN list_node AS b ON b.node = said.b
WHERE said.answer = 'different' AND NOT coalesce(a.resident_key = b.resident_key, false)
ORDER BY said.question_id;
