-- Grain: one row a registered person whose visits were looked at.
SELECT DISTINCT register_no FROM register.reg_visit_due ORDER BY register_no;
