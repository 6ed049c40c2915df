-- Grain: one decision of the health side about exactly one request.
INSERT INTO register.reg_approval BY NAME
SELECT
    $request_hash AS request_hash,
    $campaign AS campaign,
    $round AS round,
    $approved AS approved,
    $decided_by AS decided_by,
    $account AS account,
    $decided_at AS decided_at;
