-- Grain: one row a row of a received service_month sheet. Whether that is blank or a whole number; null
-- on rows from before it was asked.
ALTER TABLE register.stg_service_month ADD COLUMN IF NOT EXISTS subsidy_reviewed_valid BOOLEAN;
