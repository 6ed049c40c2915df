-- Grain: one row a question that is new, or that is open already and says something else by now.
INSERT INTO register.reg_question BY NAME
SELECT $campaign AS campaign, *
FROM (
    FROM list_question
    EXCEPT
    SELECT question_id, ref_a, ref_b, against_register, reason, agrees, differs
    FROM register.reg_question
    WHERE campaign = $campaign
)
ON CONFLICT (campaign, question_id) DO UPDATE
SET reason = excluded.reason, agrees = excluded.agrees, differs = excluded.differs;
