-- Grain: one row a village: the visits of reg_visit_due that fell due from $first to $last, and the
-- overdue ones of any earlier day. $lost: who is lost to follow-up.
SELECT
    responsible_village AS village,
    count(*)::INTEGER AS due,
    count(*) FILTER (state = 'done')::INTEGER AS done,
    count(*) FILTER (state = 'late')::INTEGER AS late,
    count(*) FILTER (state = 'open')::INTEGER AS open,
    count(*) FILTER (state = 'overdue')::INTEGER AS overdue,
    count(*) FILTER (state = 'declined')::INTEGER AS declined,
    count(*) FILTER (state = 'moved')::INTEGER AS moved,
    count(*) FILTER (state = 'transferred')::INTEGER AS transferred,
    count(*) FILTER (state = 'died')::INTEGER AS died,
    count(DISTINCT register_no)
        FILTER (state IN ('open', 'overdue') AND list_contains($lost, register_no))::INTEGER AS lost,
    count(*) FILTER (state = 'done' AND entered_on > due_on)::INTEGER AS entered_late
FROM register.reg_visit_due
WHERE due_on BETWEEN $first AND $last OR (due_on < $first AND state = 'overdue')
GROUP BY responsible_village
ORDER BY responsible_village;
