-- Grain: one row a phase, round, period and rate: the sums of its two parts over those of these
-- townships that released both, how many they are, and how many withheld one.
WITH part AS (
    SELECT
        figure.township,
        figure.phase,
        figure.round,
        figure.period,
        rate.name,
        max(value) FILTER (figure.name = rate.numerator) AS numerator,
        max(value) FILTER (figure.name = rate.denominator) AS denominator,
        bool_or(state = 'withheld') AS withheld
    FROM figure
    JOIN (
        SELECT
            unnest($rates::VARCHAR[]) AS name,
            unnest($numerators::VARCHAR[]) AS numerator,
            unnest($denominators::VARCHAR[]) AS denominator
    ) AS rate
        ON figure.name IN (rate.numerator, rate.denominator)
    GROUP BY ALL
)

SELECT
    phase,
    round,
    period,
    name,
    coalesce(sum(numerator) FILTER (numerator IS NOT NULL AND denominator > 0), 0) AS numerator,
    coalesce(sum(denominator) FILTER (numerator IS NOT NULL AND denominator > 0), 0) AS denominator,
    count(*) FILTER (numerator IS NOT NULL AND denominator > 0) AS released,
    count(*) FILTER (withheld) AS withheld
FROM part
GROUP BY phase, round, period, name
ORDER BY phase, round, period, name;
