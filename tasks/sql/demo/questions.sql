-- Grain: one row a question of a campaign.
SELECT question_id, ref_a, ref_b, against_register, reason, answer
FROM register.reg_question
WHERE campaign = $campaign
ORDER BY question_id;
