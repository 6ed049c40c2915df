-- Grain: one row, the answered question. The same answer again leaves who gave it first and when.
UPDATE register.reg_question
SET answer = $answer, answered_by = $answered_by, answered_at = $answered_at
WHERE campaign = $campaign AND question_id = $question_id AND answer IS DISTINCT FROM $answer;
