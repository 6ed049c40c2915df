-- Grain: one row an open question that nobody needs to answer any more. Answers are kept.
DELETE FROM register.reg_question
WHERE campaign = $campaign
    AND answer IS NULL
    AND question_id NOT IN (SELECT question_id FROM list_question);
