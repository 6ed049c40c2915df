-- Grain: one row: whether anybody is on the list just compiled.
SELECT EXISTS (FROM list_referral);
