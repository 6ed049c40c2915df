-- Grain: one row a message of one campaign or all: its state, its tries, what was decided on it.
-- Nobody writes while this is read, so a message still marked as being handed over was interrupted.
-- id: its Message-ID without the ends.
WITH decided AS (
    SELECT
        message_id,
        max(after_attempt) AS after_attempt,
        arg_max(decision, number) AS decision,
        arg_max(decided_by, number) AS decided_by,
        arg_max(reason, number) AS reason,
        max(decided_at) AS decided_at
    FROM ledger.out_resolution
    GROUP BY message_id
),
tried AS (
    SELECT
        message_id,
        count(*)::INTEGER AS attempts,
        max(tried_at) AS tried_at,
        arg_max(retry_at, attempt) FILTER (WHERE attempt > coalesce(after_attempt, 0)) AS retry_at
    FROM ledger.out_attempt LEFT JOIN decided USING (message_id)
    GROUP BY message_id
)
SELECT
    replace(replace(message_id, '@campaign.invalid>', ''), '<', '') AS id,
    campaign, phase, round, revision, kind, audience, recipient, subject,
    CASE state WHEN 'sending' THEN 'unknown' ELSE state END AS state,
    CASE state WHEN 'sending' THEN 'interrupted' ELSE problem END AS problem,
    changed_at,
    coalesce(attempts, 0) AS attempts,
    tried_at,
    CASE state WHEN 'ready' THEN retry_at END AS retry_at,
    decision, decided_by, reason, decided_at
FROM ledger.out_message LEFT JOIN tried USING (message_id) LEFT JOIN decided USING (message_id)
WHERE ($campaign::VARCHAR IS NULL OR campaign = $campaign)
ORDER BY changed_at, campaign, phase, round, revision, kind, recipient
