-- Grain: one row a row of a received service_month sheet. Whether up to this month no more were
-- reviewed than were applied for; null on rows from before it was asked.
ALTER TABLE register.stg_service_month ADD COLUMN IF NOT EXISTS subsidy_reviewed_within_applied BOOLEAN;
