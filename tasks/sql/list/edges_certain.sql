-- Grain: one row a certain link that no human took back. Equal identity numbers are not taken back:
-- a number that came in after the answer knows better.
CREATE OR REPLACE TEMP TABLE list_edge AS
SELECT p.a, p.b, p.rule AS link, p.strength
FROM list_pair AS p
LEFT JOIN list_answer AS said ON said.a = p.a AND said.b = p.b
WHERE p.strength IS NOT NULL
    AND (p.rule = 'resident_key' OR said.answer IS DISTINCT FROM 'different');
