-- Grain: one row a village with accepted coverage of one sweep round.
SELECT
    sender_village AS village,
    sum(households)::INTEGER AS households,
    sum(households_visited)::INTEGER AS households_visited,
    sum(households_declined)::INTEGER AS households_declined,
    sum(no_consent_count)::INTEGER AS no_consent
FROM register.stg_coverage
WHERE is_current AND campaign = $campaign AND phase = 'sweep' AND round = $round
GROUP BY sender_village
ORDER BY sender_village;
