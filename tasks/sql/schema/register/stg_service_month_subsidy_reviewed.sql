-- Grain: one row a row of a received service_month sheet. subsidy_reviewed: how many applications were
-- reviewed in the month; null where the village did not say.
ALTER TABLE register.stg_service_month ADD COLUMN IF NOT EXISTS subsidy_reviewed INTEGER;
