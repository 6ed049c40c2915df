-- Grain: one row a receipt that was still waiting for the bytes to be gone.
UPDATE register.reg_receipt SET compacted_at = $compacted_at WHERE compacted_at IS NULL;
