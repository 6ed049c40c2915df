-- Grain: one row a village with registered people: visits that fall due from $first to $last, made or
-- still owed; those of them made in time and late, those made in time and entered after their due day;
-- the overdue ones of any time; and those that fall due in the days after $as_of up to $ahead. A visit
-- that ended without having been made is in none of them: the difference would count people.
SELECT
    responsible_village AS village,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last
        AND state IN ('done', 'late', 'open', 'overdue'))::INTEGER AS visits_due,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'done')::INTEGER
        AS visits_done,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'late')::INTEGER
        AS visits_late,
    count(*) FILTER (WHERE due_on BETWEEN $first AND $last AND state = 'done'
        AND entered_on > due_on)::INTEGER AS visits_entered_late,
    count(*) FILTER (WHERE state = 'overdue')::INTEGER AS visits_overdue,
    count(*) FILTER (WHERE state = 'open' AND due_on > $as_of AND due_on <= $ahead)::INTEGER
        AS visits_ahead
FROM register.reg_visit_due
GROUP BY responsible_village
ORDER BY village;
