-- Grain: one row a person on the register whom a follow-up visit may name.
CREATE OR REPLACE TABLE ref_registered AS
SELECT register_no, confirmed_on
FROM register.reg_registered;
