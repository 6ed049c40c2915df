-- Grain: one row a count of people in an earlier revision of a phase and round: as it was released,
-- and what was kept of it on the private side; is_kept is false where nothing was.
SELECT figure.revision, figure.name, figure.unit, figure.village, figure.value, figure.state,
    kept.exact, kept.secondary, kept.withhold_to, kept.round_to,
    kept.revision IS NOT NULL AS is_kept
FROM ledger.out_figure AS figure
LEFT JOIN register.reg_released_count AS kept
    USING (campaign, phase, round, revision, name, village)
WHERE figure.campaign = $campaign AND figure.phase = $phase AND figure.round = $round
    AND figure.unit = 'people'
ORDER BY figure.revision, figure.position;
