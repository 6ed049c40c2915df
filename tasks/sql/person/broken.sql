-- Grain: one row a rule that a corrected record breaks. Whether a register number is given to somebody
-- else is not asked: a corrected name is another name under the same number, and means to be.
SELECT DISTINCT rule
FROM (SELECT unnest(failed_rules) AS rule FROM staged_{sheet})
WHERE rule <> 'register_no_valid'
ORDER BY rule;
