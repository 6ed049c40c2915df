-- Grain: one row a service gap that is closed.
UPDATE register.reg_gap
SET closed_on = $closed_on, closed_as = $closed_as, closed_by = $closed_by
WHERE list_contains($gaps, gap_id);
