-- Grain: one row a village with registered people: visits that fell due from $first to $last, made or
-- still owed; those of them made in time and late, and the overdue ones of any month. A visit that ended
-- without having been made (declined, moved ...) is in none: the difference would count people.
SELECT
    responsible_village AS village,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last
        AND state IN ('done', 'late', 'open', 'overdue'))::INTEGER AS visits_due,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'done')::INTEGER
        AS visits_done,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'late')::INTEGER
        AS visits_late,
    count(*) FILTER (WHERE state = 'overdue')::INTEGER AS visits_overdue
FROM register.reg_visit_due
GROUP BY responsible_village;
