-- Grain: one row a key that is not needed any more at $as_of: a consent it could refuse has expired.
DELETE FROM register.reg_lapsed WHERE remove_on <= $as_of;
