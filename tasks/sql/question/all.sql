-- Grain: one row a question of a campaign, the open ones first. Names nobody.
SELECT question_id, reason, agrees, differs, answer
FROM register.reg_question
WHERE campaign = $campaign
ORDER BY answer IS NOT NULL, question_id;
