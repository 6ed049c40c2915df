-- Grain: one row a sealed revision that has reached the ledger.
UPDATE register.reg_seal AS sealed
SET released = true
WHERE NOT released
    AND (campaign, phase, round, revision) IN (
        SELECT (campaign, phase, round, revision) FROM ledger.out_revision);
