-- Grain: one row a row of a received follow_up sheet, as in stg_follow_up: whether it holds the rule.
ALTER TABLE register.stg_follow_up ADD COLUMN IF NOT EXISTS lost_reason_agrees BOOLEAN;
