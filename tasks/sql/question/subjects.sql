-- Grain: one row a reference or register number that one of the questions ($questions) is about.
SELECT DISTINCT unnest([ref_a, ref_b]) AS subject
FROM register.reg_question
WHERE campaign = $campaign AND list_contains($questions, question_id)
ORDER BY subject;
