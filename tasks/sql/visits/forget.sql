-- Grain: one row a due visit as it was last worked out.
DELETE FROM register.reg_visit_due;
