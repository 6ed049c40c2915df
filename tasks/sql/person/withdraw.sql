-- Grain: one row a withdrawn referral; the first withdrawal holds.
INSERT INTO register.reg_withdrawal BY NAME
SELECT $campaign AS campaign, $referral_ref AS referral_ref, $withdrawn_on AS withdrawn_on,
    $reason AS reason, $recorded_at AS recorded_at
ON CONFLICT DO NOTHING;
