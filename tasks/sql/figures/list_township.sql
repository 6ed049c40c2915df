-- Grain: one row: exact counts of people of the whole list, those whom retention erased among them.
WITH
erased AS (
    SELECT coalesce(map(list(name), list(amount)), MAP {}) AS amount
    FROM (
        SELECT name, sum(amount)::INTEGER AS amount
        FROM register.reg_tally
        WHERE campaign = $campaign AND phase = 'list_compilation'
        GROUP BY name
    )
),
person AS (
    SELECT
        count(*) AS listed,
        count(*) FILTER (WHERE known) AS known,
        count(*) FILTER (WHERE NOT known) AS new,
        count(*) FILTER (WHERE care_setting = 'home') AS home,
        count(*) FILTER (WHERE care_setting = 'hospital') AS hospital,
        count(*) FILTER (WHERE care_setting = 'welfare_institution') AS welfare_institution,
        count(*) FILTER (WHERE care_setting = 'other_institution') AS other_institution,
        count(*) FILTER (WHERE care_setting = 'not_reachable') AS not_reachable
    FROM figure_person
)
SELECT
    listed + coalesce(amount['people_listed'], 0) AS people_listed,
    known + coalesce(amount['people_known'], 0) AS people_known,
    new + coalesce(amount['people_new'], 0) AS people_new,
    home + coalesce(amount['people_home'], 0) AS people_home,
    hospital + coalesce(amount['people_hospital'], 0) AS people_hospital,
    welfare_institution + coalesce(amount['people_welfare_institution'], 0)
        AS people_welfare_institution,
    other_institution + coalesce(amount['people_other_institution'], 0)
        AS people_other_institution,
    not_reachable + coalesce(amount['people_not_reachable'], 0) AS people_not_reachable
FROM person, erased;
