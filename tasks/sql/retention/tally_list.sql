-- Grain: one row a figure of the list and its village: people of figure_person who are about to be
-- erased.
INSERT INTO register.reg_tally BY NAME
WITH gone AS (
    SELECT p.village, p.care_setting, p.known
    FROM figure_person AS p
    WHERE p.person_ref IN (SELECT person_ref FROM retention_due WHERE reason <> 'withdrawn')
),
counted AS (
    SELECT 'people_listed' AS name, village FROM gone
    UNION ALL
    SELECT CASE WHEN known THEN 'people_known' ELSE 'people_new' END, '' FROM gone
    UNION ALL
    SELECT 'people_' || care_setting, '' FROM gone
)
SELECT
    $campaign AS campaign, 'list_compilation' AS phase, 0 AS round, name, village,
    count(*)::INTEGER AS amount
FROM counted
GROUP BY name, village
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
