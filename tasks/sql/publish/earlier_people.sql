-- Grain: one row a count of people in a released revision of any campaign, in the order of release: as
-- it was released, and what was kept of it on the private side; is_kept is false where nothing was.
-- Copies (all of an aggregation's, a quarterly pack's but for the national rates) are left out: they are
-- the released figures themselves.
SELECT figure.campaign, figure.phase, figure.round, figure.revision, figure.name, figure.unit,
    figure.village, figure.value, figure.state,
    kept.exact, kept.secondary, kept.withhold_to, kept.round_to,
    kept.revision IS NOT NULL AS is_kept
FROM ledger.out_figure AS figure
JOIN ledger.out_revision AS released USING (campaign, phase, round, revision)
LEFT JOIN register.reg_released_count AS kept
    USING (campaign, phase, round, revision, name, village)
WHERE figure.unit = 'people'
    AND (
        kept.revision IS NOT NULL
        OR figure.phase NOT IN ('aggregation', 'quarterly_pack')
        OR figure.phase = 'quarterly_pack' AND starts_with(figure.name, 'rate_')
    )
ORDER BY released.created_at, figure.campaign, figure.phase, figure.round, figure.revision,
    figure.position;
