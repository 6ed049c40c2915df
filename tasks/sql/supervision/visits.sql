-- Grain: one row a village with registered people: visits that fell due from $first to $last, those of
-- them made in time and late, and the overdue ones of any month.
SELECT
    responsible_village AS village,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last)::INTEGER AS visits_due,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'done')::INTEGER
        AS visits_done,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'late')::INTEGER
        AS visits_late,
    count(*) FILTER (WHERE state = 'overdue')::INTEGER AS visits_overdue
FROM register.reg_visit_due
GROUP BY responsible_village;
