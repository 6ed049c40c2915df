-- Grain: one row a request that the health side decided.
SELECT request_hash, campaign, round, approved, decided_by, decided_at
FROM register.reg_approval;
