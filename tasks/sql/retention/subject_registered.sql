-- Grain: no row: a register entry does not fall due with a referral.
CREATE OR REPLACE TEMP TABLE subject_registered AS SELECT register_no FROM register.reg_registered LIMIT 0;
