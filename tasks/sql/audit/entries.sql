-- Grain: one row an entry of the trail, the first one first.
SELECT position, entered_at, who, what, why, campaign, subjects, previous, hash
FROM register.reg_trail
ORDER BY position;
