-- Grain: one row a quarter with a month that supervision looked at: how many months.
SELECT quarter, count(*)::INTEGER AS months
FROM quarter_look
GROUP BY quarter
ORDER BY quarter;
