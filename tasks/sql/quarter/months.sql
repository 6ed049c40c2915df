-- Grain: one row a township figure of a month of the quarter, as it was released; which rows went
-- back by which rule is the sender's to know, not the meeting's.
SELECT look.period, figure.name, figure.unit, figure.value, figure.state
FROM quarter_look AS look
JOIN ledger.out_figure AS figure
    ON figure.campaign = look.campaign AND figure.phase = 'supervision'
        AND figure.round = look.round AND figure.revision = look.revision
WHERE look.quarter = $quarter AND figure.village = '' AND figure.audience = 'office'
    AND NOT starts_with(figure.name, 'returned_')
ORDER BY look.period, figure.position;
