-- Grain: one row a register entry of the person, as cells of its sheet. The ID number is not known; the
-- consent is that to management, without which nobody is on the register: it is not what is judged.
SELECT
    register_no AS submission_id,
    register_no, full_name, sex, birth_date::VARCHAR AS birth_date, residence_village,
    registered_village, phone, 'self' AS consent_by, confirmed_on::VARCHAR AS consent_date,
    'assessment_and_management' AS consent_scope, diagnosis,
    confirmed_on::VARCHAR AS confirmed_on, psychiatrist_licence, stability,
    last_visited_on::VARCHAR AS last_visited_on
FROM register.reg_registered
JOIN subject_registered USING (register_no);
