-- Grain: one row a sender that has one: the password of its return workbooks.
SELECT village, password FROM register.reg_password WHERE village IN (SELECT unnest($villages));
