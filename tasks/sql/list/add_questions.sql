-- Grain: one row a question to ask; one that is open already says what agrees and differs now.
INSERT INTO register.reg_question BY NAME
SELECT $campaign AS campaign, * FROM list_question
ON CONFLICT (campaign, question_id) DO UPDATE
SET reason = excluded.reason, agrees = excluded.agrees, differs = excluded.differs;
