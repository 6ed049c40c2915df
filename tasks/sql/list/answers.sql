-- Grain: one row an answered question about two records that are both still there.
CREATE OR REPLACE TEMP TABLE list_answer AS
SELECT a.node AS a, b.node AS b, q.question_id, q.answer
FROM register.reg_question AS q
JOIN list_node AS a ON a.ref = q.ref_a AND NOT a.registered
JOIN list_node AS b ON b.ref = q.ref_b AND b.registered = q.against_register
WHERE q.campaign = $campaign AND q.answer IS NOT NULL;
