-- Grain: one row a length of a wait: people of figure_queue_person who are about to be erased.
INSERT INTO register.reg_waited BY NAME
SELECT
    $campaign AS campaign, (attended_on - waiting_since)::INTEGER AS days,
    count(*)::INTEGER AS people
FROM figure_queue_person
WHERE attended_on IS NOT NULL
    AND person_ref IN (SELECT person_ref FROM retention_due WHERE reason <> 'withdrawn')
GROUP BY days
ON CONFLICT DO UPDATE SET people = people + excluded.people;
