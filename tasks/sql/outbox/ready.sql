-- Grain: one row a message to send, the oldest revision first.
SELECT message_id, campaign, phase, round, revision, audience, recipient, kind, subject, report, body
FROM ledger.out_message
WHERE state = 'ready'
ORDER BY campaign, phase, round, revision, kind, recipient
