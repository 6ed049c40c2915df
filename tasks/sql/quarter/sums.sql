-- Grain: one row a quarter, figure about the work and village ('' the township): over the quarter's
-- months as they were released, or the last one where it is what stands at a day ($standing). Counts of
-- people are left out: only what was released of them may leave, and rounded counts have no sum. A
-- village's are summed for the first of $quarters only.
SELECT
    look.quarter,
    figure.name,
    any_value(figure.unit) AS unit,
    figure.village,
    CASE
        WHEN list_contains($standing::VARCHAR[], figure.name)
            THEN arg_max(figure.value, look.period) FILTER (WHERE figure.value IS NOT NULL)
        ELSE sum(figure.value)
    END AS value
FROM quarter_look AS look
JOIN ledger.out_figure AS figure
    ON figure.campaign = look.campaign AND figure.phase = 'supervision'
        AND figure.round = look.round AND figure.revision = look.revision
WHERE figure.audience = 'office'
    AND list_contains($quarters::VARCHAR[], look.quarter)
    AND (figure.village = '' OR look.quarter = list_extract($quarters::VARCHAR[], 1))
    AND list_contains($names::VARCHAR[], figure.name)
    AND figure.unit <> 'people'
GROUP BY look.quarter, figure.name, figure.village
ORDER BY look.quarter DESC, figure.village, min(figure.position);
