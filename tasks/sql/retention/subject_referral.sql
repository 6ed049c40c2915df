-- Grain: one row a referral that is due to be erased.
CREATE OR REPLACE TEMP TABLE subject_referral AS SELECT campaign, referral_ref FROM retention_due;
