-- Grain: one row a new link. Open to the end of the last day: $until where it is given, else $days days
-- after the village's due day, its extension included.
INSERT INTO ledger.agg_link BY NAME
SELECT
    new_link.token_hash,
    $campaign AS campaign,
    $phase AS phase,
    $round AS round,
    new_link.village,
    coalesce($until::DATE, greatest(extension.due, $due::DATE) + $days::INTEGER) + INTERVAL 1 DAY
        AS expires_at,
    $made_by AS made_by,
    $now AS made_at
FROM new_link
LEFT JOIN ledger.agg_extension AS extension
    ON extension.campaign = $campaign AND extension.phase = $phase AND extension.round = $round
    AND extension.village = new_link.village;
