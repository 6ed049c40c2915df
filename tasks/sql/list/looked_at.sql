-- Grain: one row a record, once for each thing that it shares with another or that a human answered
-- about it. Hashes that are equal by chance have a record looked at in vain, no more.
CREATE OR REPLACE TEMP TABLE list_looked_at AS
SELECT who FROM list_trait
SEMI JOIN (SELECT key FROM list_trait GROUP BY key HAVING count(*) > 1) USING (key)
UNION ALL
SELECT who FROM list_trait
SEMI JOIN (SELECT name_birth FROM list_trait GROUP BY name_birth HAVING count(*) > 1)
    USING (name_birth)
UNION ALL
SELECT who FROM list_trait
SEMI JOIN (SELECT phone_birth FROM list_trait GROUP BY phone_birth HAVING count(*) > 1)
    USING (phone_birth)
UNION ALL
SELECT who FROM list_trait
SEMI JOIN (SELECT name_phone FROM list_trait GROUP BY name_phone HAVING count(*) > 1)
    USING (name_phone)
UNION ALL
SELECT hash(false, ref_a) FROM register.reg_question
WHERE campaign = $campaign AND answer IS NOT NULL
UNION ALL
SELECT hash(against_register, ref_b) FROM register.reg_question
WHERE campaign = $campaign AND answer IS NOT NULL;
