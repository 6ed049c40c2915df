-- Grain: at most one row: the password of a sender's return workbooks.
SELECT password FROM register.reg_password WHERE village = $village;
