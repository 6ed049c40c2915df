-- Grain: one row a workbook, there or gone, in which one of $refs stands: it goes, and so do they.
UPDATE register.reg_export SET
    removed = true,
    password = NULL,
    subjects = list_filter(subjects, lambda ref: NOT list_contains($refs, ref))
WHERE list_has_any(subjects, $refs);
