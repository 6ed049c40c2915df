-- Grain: one row a current referral of the person, as cells of its sheet. The ID number is not known.
SELECT
    referral_ref AS submission_id,
    row_no::VARCHAR AS row_no, full_name, sex, birth_date::VARCHAR AS birth_date,
    residence_village, registered_village, phone, contact_name, contact_relation, contact_phone,
    referred_by, consent_by, consent_date::VARCHAR AS consent_date, consent_scope, care_setting,
    array_to_string(observed_signs, ',') AS observed_signs, urgency
FROM register.stg_referral
JOIN subject_referral USING (campaign, referral_ref)
WHERE is_current;
