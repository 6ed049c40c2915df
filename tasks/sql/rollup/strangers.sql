-- Grain: one row a township that shared something of the campaign and is not on the county's list.
SELECT DISTINCT coalesce(township, '') AS township
FROM shared.release AT (VERSION => $snapshot)
WHERE campaign = $campaign
    AND coalesce(township, '') NOT IN (SELECT unnest($townships::VARCHAR[]))
ORDER BY township;
