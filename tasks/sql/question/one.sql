-- Grain: at most one row, the question with this id.
SELECT question_id, reason, agrees, differs, answer
FROM register.reg_question
WHERE campaign = $campaign AND question_id = $question_id;
