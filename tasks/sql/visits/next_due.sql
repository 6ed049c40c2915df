-- Grain: one row a village with an open visit: the earliest day by which one is due.
SELECT responsible_village, min(due_on)
FROM register.reg_visit_due
WHERE state = 'open'
GROUP BY responsible_village;
