-- Grain: one row a service gap of the people of subject_registered.
DELETE FROM register.reg_gap WHERE register_no IN (SELECT register_no FROM subject_registered);
