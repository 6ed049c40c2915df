-- Grain: one row a figure of the queue: people of figure_queue_person who are about to be erased. Not
-- waiting and booked: whose referral has expired does not wait any more.
INSERT INTO register.reg_tally BY NAME
WITH gone AS (
    FROM figure_queue_person
    WHERE person_ref IN (SELECT person_ref FROM retention_due WHERE reason <> 'withdrawn')
),
counted AS (
    SELECT 'people_offered' AS name FROM gone WHERE was_booked OR has_outcome
    UNION ALL
    SELECT unnest(['people_attended', 'people_assessed']) FROM gone WHERE attended_on IS NOT NULL
    UNION ALL
    SELECT 'people_' || state FROM gone WHERE state IN ('confirmed', 'not_confirmed', 'declined')
)
SELECT
    $campaign AS campaign, 'diagnosis_queue' AS phase, 0 AS round, name, '' AS village,
    count(*)::INTEGER AS amount
FROM counted
GROUP BY name
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
