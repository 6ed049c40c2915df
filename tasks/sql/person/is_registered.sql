-- Grain: one row: whether a reference is the number of a register entry, or the referral that led to one.
SELECT count(*) > 0 FROM register.reg_registered WHERE $ref IN (register_no, referral_ref);
