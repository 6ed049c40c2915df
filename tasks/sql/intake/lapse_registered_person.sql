-- Grain: one row a staged entry of the standing register about a person whose record is frozen, with a
-- consent from before: it is judged as a row without consent. A consent given after holds.
UPDATE staged_registered_person AS staged
SET has_consent = false, failed_rules = [], rules = NULL
FROM register.reg_frozen AS frozen
WHERE frozen.register_no = staged.typed.register_no
    AND staged.typed.consent_date <= frozen.frozen_on;
