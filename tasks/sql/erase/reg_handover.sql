-- Grain: one row a hand-over of the people of subject_registered.
DELETE FROM register.reg_handover WHERE register_no IN (SELECT register_no FROM subject_registered);
