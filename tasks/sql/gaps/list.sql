-- Grain: one row an open service gap of somebody who did not withdraw, what is due first on top; never
-- ordered by anything a clinician judged.
SELECT gap.gap_id, gap.register_no, gap.kind, gap.found_by, gap.opened_on, gap.owner, gap.next_step,
    gap.due_on, entry.residence_village
FROM register.reg_gap AS gap
JOIN register.reg_registered AS entry USING (register_no)
ANTI JOIN register.reg_withdrawal AS gone ON gone.referral_ref = entry.referral_ref
WHERE gap.closed_on IS NULL AND ($owner::VARCHAR IS NULL OR gap.owner = $owner)
ORDER BY gap.due_on, gap.gap_id;
