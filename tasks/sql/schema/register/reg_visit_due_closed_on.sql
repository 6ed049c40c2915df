-- Grain: one row a visit that fell or falls due, as in reg_visit_due. closed_on: the day of the visit
-- that met it, or the day on which it was found declined, moved, transferred or died; null while it is
-- owed. A state besides those of reg_visit_due: declined, moved, transferred, died.
ALTER TABLE register.reg_visit_due ADD COLUMN IF NOT EXISTS closed_on DATE;
