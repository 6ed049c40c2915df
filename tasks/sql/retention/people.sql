-- Grain: one row: how many people the referrals that are due are of.
SELECT count(DISTINCT person_ref)::INTEGER FROM retention_due;
