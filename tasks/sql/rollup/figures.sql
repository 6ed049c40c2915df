-- Grain: one row a figure of a release that counts. Figures that a release only copies are left
-- out ($names): they count where they were released first. period: '' where the phase has none.
CREATE OR REPLACE TABLE figure AS
SELECT township, phase, round, period, figure.name, figure.value, figure.state
FROM (
    SELECT
        standing.township,
        standing.phase,
        standing.round,
        coalesce(newest.period, '') AS period,
        unnest(
            from_json(
                body -> 'figures', '[{"name":"VARCHAR","value":"DOUBLE","state":"VARCHAR"}]'
            )
        ) AS figure
    FROM standing
    JOIN arrived ON arrived.row_no = standing.newest.row_no
    JOIN member ON member.township = standing.township
    WHERE NOT set_aside
        AND member.joined <= standing.newest.due
        AND (member.left_on IS NULL OR standing.newest.due < member.left_on)
)
WHERE figure.name IN (SELECT unnest($names::VARCHAR[]));
