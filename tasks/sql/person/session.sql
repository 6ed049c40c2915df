-- Grain: one row a person booked into one clinic session and still to be seen: whom to expect and how
-- to reach them. A withdrawn referral shows nothing from that moment, and nobody is shown who has no
-- other. Of several referrals the one with the latest consent speaks, as in list/people.sql.
SELECT
    queue.person_ref AS referral_ref, queue.position, queue.urgency, queue.waiting_since,
    referral.full_name, referral.sex, referral.birth_date, referral.residence_village,
    referral.phone, referral.contact_name, referral.contact_phone
FROM register.reg_queue AS queue
JOIN register.reg_person_referral AS link
    ON link.campaign = queue.campaign AND link.person_ref = queue.person_ref
    AND link.revision = (SELECT max(revision) FROM register.reg_list AS newest
        WHERE newest.campaign = queue.campaign)
JOIN register.stg_referral AS referral
    ON referral.campaign = link.campaign AND referral.referral_ref = link.referral_ref
    AND referral.is_current
ANTI JOIN register.reg_withdrawal AS gone
    ON gone.campaign = link.campaign AND gone.referral_ref = link.referral_ref
WHERE queue.campaign = $campaign AND queue.state = 'booked' AND queue.session_date = $session_date
QUALIFY row_number() OVER (
    PARTITION BY queue.person_ref
    ORDER BY referral.consent_date DESC, referral.round DESC, referral.sender_village DESC,
        referral.row_number DESC) = 1
ORDER BY queue.position;
