-- Grain: one row a service gap of whoever is on the register by a referral that is withdrawn.
DELETE FROM register.reg_gap
WHERE register_no IN (
    SELECT register_no FROM register.reg_registered WHERE referral_ref = $referral_ref);
