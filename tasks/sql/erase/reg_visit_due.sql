-- Grain: one row a visit due for the people of subject_registered.
DELETE FROM register.reg_visit_due WHERE register_no IN (SELECT register_no FROM subject_registered);
