-- Grain: one row a person on the register.
CREATE OR REPLACE TEMP VIEW check_reg_registered AS SELECT * FROM register.reg_registered;
