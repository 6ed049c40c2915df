-- Grain: one row a recipient of a revision. The key is unique: a second run adds nothing.
-- message_id is made of the key alone, so the same message keeps its Message-ID whatever happens;
-- .invalid is reserved (RFC 2606), so it can never be somebody's address.
INSERT INTO ledger.out_message
SELECT
    '<' || left(sha256(concat_ws('|', $campaign, $phase, $round, $revision, listed.recipient, $kind)), 32)
        || '@campaign.invalid>',
    $campaign,
    $phase,
    $round,
    $revision,
    $audience,
    listed.recipient,
    $kind,
    $subject,
    $report,
    'draft',
    NULL,
    $now
FROM (SELECT unnest($recipients::VARCHAR[]) AS recipient) AS listed
ON CONFLICT DO NOTHING
