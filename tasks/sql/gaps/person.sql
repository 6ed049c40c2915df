-- Grain: at most one row: the register entry with this number, of somebody who did not withdraw.
SELECT entry.register_no
FROM register.reg_registered AS entry
ANTI JOIN register.reg_withdrawal AS gone ON gone.referral_ref = entry.referral_ref
WHERE entry.register_no = $register_no;
