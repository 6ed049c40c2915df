-- Grain: one row a row of a received service_month sheet. Whether the month had begun when the file
-- came; null on rows from before it was asked.
ALTER TABLE register.stg_service_month ADD COLUMN IF NOT EXISTS month_begun BOOLEAN;
