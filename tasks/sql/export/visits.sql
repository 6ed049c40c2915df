-- Grain: one row a registered person of one village whose next visit is due by $last: when, and how to
-- reach them; nothing of diagnosis, rating, stability or past visits. Everybody on the register agreed
-- to community management; who has withdrawn the referral that led there shows nothing from then on.
SELECT
    visit.register_no, visit.due_on, person.full_name, person.residence_village, person.phone,
    referral.contact_name, referral.contact_phone
FROM register.reg_visit_due AS visit
JOIN register.reg_registered AS person ON person.register_no = visit.register_no
LEFT JOIN register.stg_referral AS referral
    ON referral.referral_ref = person.referral_ref AND referral.is_current
ANTI JOIN register.reg_withdrawal AS gone ON gone.referral_ref = person.referral_ref
WHERE visit.responsible_village = $village
    AND visit.state IN ('open', 'overdue')
    AND visit.due_on <= $last
ORDER BY visit.due_on, visit.register_no;
