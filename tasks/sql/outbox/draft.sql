-- Grain: one row a recipient who was not drafted this message yet: its Message-ID. The key is unique,
-- so a second run adds nothing.
-- message_id is made of the key alone, so the same message keeps its Message-ID whatever happens;
-- .invalid is reserved (RFC 2606), so it can never be somebody's address.
INSERT INTO ledger.out_message BY NAME
SELECT
    '<' || left(sha256(concat_ws('|', $campaign, $phase, $round, $revision, listed.recipient, $kind)), 32)
        || '@campaign.invalid>' AS message_id,
    $campaign AS campaign,
    $phase AS phase,
    $round AS round,
    $revision AS revision,
    $audience AS audience,
    listed.recipient,
    $kind AS kind,
    $subject AS subject,
    $report AS report,
    $body AS body,
    'draft' AS state,
    $now AS changed_at
FROM (SELECT unnest($recipients::VARCHAR[]) AS recipient) AS listed
ON CONFLICT DO NOTHING
RETURNING message_id
