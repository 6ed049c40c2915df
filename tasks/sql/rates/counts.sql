-- Grain: one row: how many people are counted in each number that the national rates are made of
-- (COUNTS of rules/national_rates.py).
WITH judged AS (
    SELECT
        *,
        complete >= greatest(
            1,
            len(list_filter([3, 6, 9, 12], lambda months: since + to_months(months) <= until + 1))
        ) AS is_four_times,
        list_filter(medication, lambda found: found <> '4') AS needed
    FROM person_year
)
SELECT
    count(*) AS registered,
    count(*) FILTER (WHERE complete >= 1) AS managed,
    count(*) FILTER (WHERE is_four_times) AS four_times,
    count(*) FILTER (WHERE is_four_times AND NOT missed) AS on_schedule,
    count(*) FILTER (WHERE list_has_any(medication, ['1', '2'])) AS medicated,
    count(*) FILTER (WHERE list_distinct(needed) = ['1']) AS regularly,
    count(last_stability) AS assessed,
    count(*) FILTER (WHERE last_stability = 'stable') AS stable
FROM judged
