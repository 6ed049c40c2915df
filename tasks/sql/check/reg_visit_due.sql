-- Grain: one row a visit due.
CREATE OR REPLACE TEMP VIEW check_reg_visit_due AS SELECT * FROM register.reg_visit_due;
