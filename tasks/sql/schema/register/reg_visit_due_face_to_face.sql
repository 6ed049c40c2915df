-- Grain: one row a visit that fell or falls due, as in reg_visit_due. face_to_face: only a visit that
-- met the person at home or at the clinic meets it. It follows from a rating: health side only.
ALTER TABLE register.reg_visit_due ADD COLUMN IF NOT EXISTS face_to_face BOOLEAN;
