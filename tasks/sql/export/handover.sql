-- Grain: one row, the person on the register with this number, for the health centre they move to.
-- consent: the newest word on community management: of the standing register as it was sent last, else
-- of the assessment that led to the register. covered: it reaches beyond the assessment, and the
-- referral was not withdrawn.
WITH
stated AS (
    SELECT consent_by, consent_date, consent_scope = 'assessment_and_management' AS manages
    FROM register.stg_registered_person
    WHERE is_current AND register_no = $register_no
    QUALIFY row_number() OVER (ORDER BY received_at DESC, submission_id, row_number) = 1
),
assessed AS (
    SELECT told.referral_ref, told.assessed_on, told.management_consent
    FROM register.stg_assessment_outcome AS told
    WHERE told.is_current AND told.outcome = 'confirmed'
    QUALIFY row_number() OVER (
        PARTITION BY told.referral_ref
        ORDER BY told.assessed_on DESC, told.received_at DESC, told.submission_id, told.row_number
    ) = 1
)
SELECT
    person.register_no, person.full_name, person.sex, person.birth_date,
    person.residence_village, person.registered_village, person.phone,
    referral.contact_name, referral.contact_relation, referral.contact_phone,
    person.diagnosis, person.confirmed_on, person.psychiatrist_licence, person.stability,
    coalesce(stated.consent_by, referral.consent_by) AS consent_by,
    coalesce(stated.consent_date, assessed.assessed_on) AS consent_date,
    gone.referral_ref IS NULL AND coalesce(stated.manages, assessed.management_consent, false)
        AS covered
FROM register.reg_registered AS person
LEFT JOIN stated ON true
LEFT JOIN assessed ON assessed.referral_ref = person.referral_ref
LEFT JOIN register.stg_referral AS referral
    ON referral.referral_ref = person.referral_ref AND referral.is_current
LEFT JOIN register.reg_withdrawal AS gone ON gone.referral_ref = person.referral_ref
WHERE person.register_no = $register_no;
