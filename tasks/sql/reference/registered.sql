-- Grain: one row a person on the register: whom a follow-up visit may name, and whose number the
-- standing register may not give to somebody else. enrolled: the number was given here, after an
-- assessment of a campaign.
CREATE OR REPLACE TABLE ref_registered AS
SELECT register_no, confirmed_on, full_name, birth_date, resident_key, source = 'assessment' AS enrolled
FROM register.reg_registered;
