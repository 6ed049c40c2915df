-- Grain: one row, the last entry of the trail; none in an empty trail.
SELECT position, hash
FROM register.reg_trail
WHERE position = (SELECT max(position) FROM register.reg_trail);
