-- Grain: one row: exact counts of the queue, over figure_queue_person; people who have withdrawn are in
-- none, people whom retention erased in all but waiting and booked. Waiting is counted in days from
-- consent to the first assessment. Its median and 90th percentile are nearest ranks (Hyndman and Fan
-- 1996, definition 1): the least number of days that at least half, or nine in ten, waited no longer
-- than. A value between two people's would tell how many they are: 10.5 days, an even number. Everybody
-- assessed is in one of the steps of waiting (tasks/rules/disclosure.py, WAITED).
WITH
erased AS (
    SELECT coalesce(map(list(name), list(amount)), MAP {}) AS amount
    FROM register.reg_tally
    WHERE campaign = $campaign AND phase = 'diagnosis_queue'
),
wait AS (
    SELECT attended_on - waiting_since AS days
    FROM figure_queue_person
    WHERE attended_on IS NOT NULL
    UNION ALL
    SELECT days
    FROM (SELECT days, unnest(range(people)) FROM register.reg_waited WHERE campaign = $campaign)
),
stepped AS (
    SELECT
        count(*) FILTER (WHERE days <= 14) AS waited_to_14,
        count(*) FILTER (WHERE days BETWEEN 15 AND 30) AS waited_15_to_30,
        count(*) FILTER (WHERE days BETWEEN 31 AND 60) AS waited_31_to_60,
        count(*) FILTER (WHERE days BETWEEN 61 AND 90) AS waited_61_to_90,
        count(*) FILTER (WHERE days > 90) AS waited_over_90,
        quantile_disc(days, 0.5) AS waiting_median,
        quantile_disc(days, 0.9) AS waiting_p90
    FROM wait
),
person AS (
    SELECT
        count(*) FILTER (WHERE state = 'waiting') AS waiting,
        count(*) FILTER (WHERE state = 'booked') AS booked,
        count(*) FILTER (WHERE was_booked OR has_outcome) AS offered,
        count(attended_on) AS attended,
        count(*) FILTER (WHERE state = 'confirmed') AS confirmed,
        count(*) FILTER (WHERE state = 'not_confirmed') AS not_confirmed,
        count(*) FILTER (WHERE state = 'declined') AS declined
    FROM figure_queue_person
)
SELECT
    waiting AS people_waiting,
    booked AS people_booked,
    offered + coalesce(amount['people_offered'], 0) AS people_offered,
    -- who declined was offered an assessment and did not heed the offer
    attended + coalesce(amount['people_attended'], 0) AS people_attended,
    attended + coalesce(amount['people_assessed'], 0) AS people_assessed,
    confirmed + coalesce(amount['people_confirmed'], 0) AS people_confirmed,
    not_confirmed + coalesce(amount['people_not_confirmed'], 0) AS people_not_confirmed,
    declined + coalesce(amount['people_declined'], 0) AS people_declined,
    stepped.*
FROM person, erased, stepped;
