-- Grain: one row a referral that is due to be erased, for the trail.
SELECT referral_ref FROM subject_referral ORDER BY referral_ref;
