-- Grain: one row a message whose id begins so.
SELECT message_id, campaign, phase, round, revision, audience, recipient, kind, subject, report, body,
    CASE state WHEN 'sending' THEN 'unknown' ELSE state END AS state
FROM ledger.out_message
WHERE starts_with(message_id, '<' || $id)
ORDER BY message_id
LIMIT 2
