-- Grain: one row a phase, round, period and figure: the sum over these townships of what they
-- released, and how many of them are in each state. Whole numbers, so their order does not matter.
SELECT
    phase,
    round,
    period,
    name,
    coalesce(sum(value), 0) AS value,
    count(*) FILTER (state = 'released') AS released,
    count(*) FILTER (state = 'zero') AS zero,
    count(*) FILTER (state = 'withheld') AS withheld
FROM figure
GROUP BY phase, round, period, name
ORDER BY phase, round, period, name;
