-- Grain: one row a message to send whose time has come ($waiting: or not), the oldest revision first.
-- tries, first_tried_at: since an officer last decided on it. again: how often one had it sent again
-- although it may have arrived.
WITH decided AS (
    SELECT
        message_id,
        max(after_attempt) AS after_attempt,
        count(*) FILTER (WHERE was = 'unknown' AND decision = 'send_again')::INTEGER AS again
    FROM ledger.out_resolution
    GROUP BY message_id
),
tried AS (
    SELECT
        message_id,
        max(attempt) AS attempts,
        count(*) FILTER (WHERE attempt > coalesce(after_attempt, 0))::INTEGER AS tries,
        min(tried_at) FILTER (WHERE attempt > coalesce(after_attempt, 0)) AS first_tried_at,
        arg_max(retry_at, attempt) FILTER (WHERE attempt > coalesce(after_attempt, 0)) AS retry_at
    FROM ledger.out_attempt LEFT JOIN decided USING (message_id)
    GROUP BY message_id
)
SELECT message_id, campaign, phase, round, revision, audience, recipient, kind, subject, report, body,
    coalesce(attempts, 0) AS attempts, coalesce(tries, 0) AS tries, first_tried_at,
    coalesce(again, 0) AS again
FROM ledger.out_message LEFT JOIN decided USING (message_id) LEFT JOIN tried USING (message_id)
WHERE state = 'ready' AND ($waiting OR retry_at IS NULL OR retry_at <= $now)
ORDER BY campaign, phase, round, revision, kind, recipient
