-- Grain: one row a register entry of the people of subject_registered.
DELETE FROM register.reg_registered WHERE register_no IN (SELECT register_no FROM subject_registered);
