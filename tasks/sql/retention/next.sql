-- Grain: one row a day after $as_of and up to $until, and what falls due on it: how many people's
-- referrals by reason, and frozen records. Exact counts: the health side's terminal only.
SELECT (standing.since + kept.days)::DATE AS due_on, reason, count(DISTINCT person_ref)::INTEGER AS people
FROM retention_standing AS standing
JOIN retention_days AS kept USING (reason)
WHERE standing.since + kept.days BETWEEN $as_of::DATE + 1 AND $until
GROUP BY ALL
UNION ALL
SELECT (keep_until + 1)::DATE, 'frozen', count(*)::INTEGER
FROM register.reg_frozen
WHERE keep_until BETWEEN $as_of AND $until::DATE - 1
GROUP BY ALL
ORDER BY due_on, reason;
