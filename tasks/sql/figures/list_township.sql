-- Grain: one row: exact counts of people of the whole list.
SELECT
    count(*) AS people_listed,
    count(*) FILTER (WHERE known) AS people_known,
    count(*) FILTER (WHERE NOT known) AS people_new,
    count(*) FILTER (WHERE care_setting = 'home') AS people_home,
    count(*) FILTER (WHERE care_setting = 'hospital') AS people_hospital,
    count(*) FILTER (WHERE care_setting = 'welfare_institution') AS people_welfare_institution,
    count(*) FILTER (WHERE care_setting = 'other_institution') AS people_other_institution,
    count(*) FILTER (WHERE care_setting = 'not_reachable') AS people_not_reachable
FROM figure_person;
