-- Grain: one row a grid of the village $place (from 0): what its households were, whatever $of_each and
-- $villages are.
SELECT
    '990101' || lpad(($place + 1)::VARCHAR, 6, '0'),
    grid || '网格',
    250 + grid,
    240 - (($place * 4 + grid) % 40) + 0 * ($of_each + $villages),
    $place % 3,
    '2025-10-08',
    '2025-10-2' || grid,
    $place % 5,
    '否'
FROM range(4) AS counted(grid);
