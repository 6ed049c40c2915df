-- Grain: one row a count of people in an earlier revision of a phase and round, as it was released.
SELECT figure.revision, figure.name, figure.unit, figure.village, figure.value, figure.state,
    hidden.name IS NOT NULL AS secondary
FROM ledger.out_figure AS figure
LEFT JOIN register.reg_secondary AS hidden USING (campaign, phase, round, revision, name, village)
WHERE figure.campaign = $campaign AND figure.phase = $phase AND figure.round = $round
    AND figure.unit = 'people'
ORDER BY figure.revision, figure.position;
