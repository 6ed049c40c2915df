-- Grain: one row a village and sweep round (of $round, or of all where it is null) whose referrals are
-- known: current referrals that were not withdrawn, and those that retention erased. Zero is known where a nil return stands, or where
-- the village's newest file with a referral sheet has no returned row on it. A village of which no
-- row at all counted has not reported.
WITH
reported AS (
    SELECT
        sender_village,
        round,
        max_by(submission_id, (received_at, recorded_at, submission_id))
            FILTER (WHERE list_contains(sheets, 'referral')) AS newest
    FROM register.raw_submission
    WHERE campaign = $campaign AND phase = 'sweep' AND ($round::INTEGER IS NULL OR round = $round)
    GROUP BY sender_village, round
    HAVING bool_or(accepted + unchanged > 0 OR nil)
),
counted AS (
    SELECT sender_village, round, sum(referrals)::INTEGER AS referrals
    FROM (
        SELECT sender_village, round, count(*) AS referrals
        FROM register.stg_referral AS referral
        ANTI JOIN register.reg_withdrawal AS gone
            ON gone.campaign = referral.campaign AND gone.referral_ref = referral.referral_ref
        WHERE is_current AND campaign = $campaign
        GROUP BY sender_village, round
        UNION ALL
        SELECT village, round, amount
        FROM register.reg_tally
        WHERE campaign = $campaign AND phase = 'sweep' AND name = 'referrals'
    )
    GROUP BY sender_village, round
)
SELECT
    reported.sender_village AS village,
    reported.round,
    coalesce(counted.referrals, 0) AS referrals
FROM reported
LEFT JOIN counted USING (sender_village, round)
WHERE counted.referrals > 0
    OR EXISTS (FROM register.stg_coverage AS nil
        WHERE nil.is_current AND nil.nil_return AND nil.campaign = $campaign
            AND nil.sender_village = reported.sender_village AND nil.round = reported.round)
    OR (reported.newest IS NOT NULL
        AND NOT EXISTS (FROM register.stg_referral AS refused
            WHERE refused.submission_id = reported.newest AND refused.verdict = 'returned'))
ORDER BY village, round;
