-- Grain: one row a record the register holds about the person of subject_referral and
-- subject_registered: its table, when it came (or was made), and the whole row as JSON. What was exported and what
-- the trail says of the person are asked for apart.
CREATE OR REPLACE TEMP TABLE person_held AS
SELECT 'stg_referral' AS "table", row.received_at AS came, to_json(row) AS record
FROM register.stg_referral AS row JOIN subject_referral USING (campaign, referral_ref)
UNION ALL
SELECT 'stg_registered_person', row.received_at, to_json(row)
FROM register.stg_registered_person AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'stg_assessment_outcome', row.received_at, to_json(row)
FROM register.stg_assessment_outcome AS row JOIN subject_referral USING (campaign, referral_ref)
UNION ALL
SELECT 'stg_follow_up', row.received_at, to_json(row)
FROM register.stg_follow_up AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'raw_row', NULL, to_json(row)
FROM register.raw_row AS row JOIN (
    SELECT 'referral' AS sheet, submission_id, row_number
    FROM register.stg_referral JOIN subject_referral USING (campaign, referral_ref)
    UNION ALL
    SELECT 'registered_person', submission_id, row_number
    FROM register.stg_registered_person JOIN subject_registered USING (register_no)
    UNION ALL
    SELECT 'assessment_outcome', submission_id, row_number
    FROM register.stg_assessment_outcome JOIN subject_referral USING (campaign, referral_ref)
    UNION ALL
    SELECT 'follow_up', submission_id, row_number
    FROM register.stg_follow_up JOIN subject_registered USING (register_no)
) USING (sheet, submission_id, row_number)
UNION ALL
SELECT 'reg_registered', NULL, to_json(row)
FROM register.reg_registered AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'reg_visit_due', row.due_on, to_json(row)
FROM register.reg_visit_due AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'reg_handover', row.released_at, to_json(row)
FROM register.reg_handover AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'reg_gap', row.opened_on, to_json(row)
FROM register.reg_gap AS row JOIN subject_registered USING (register_no)
UNION ALL
SELECT 'reg_person', NULL, to_json(row)
FROM register.reg_person AS row
WHERE EXISTS (FROM register.reg_person_referral AS link JOIN subject_referral USING (campaign, referral_ref)
    WHERE link.campaign = row.campaign AND link.revision = row.revision
        AND link.person_ref = row.person_ref)
UNION ALL
SELECT 'reg_person_referral', NULL, to_json(row)
FROM register.reg_person_referral AS row JOIN subject_referral USING (campaign, referral_ref)
UNION ALL
SELECT 'reg_queue', row.as_of, to_json(row)
FROM register.reg_queue AS row JOIN subject_referral AS subject
    ON subject.campaign = row.campaign AND subject.referral_ref = row.person_ref
UNION ALL
SELECT 'reg_booking', row.booked_on, to_json(row)
FROM register.reg_booking AS row JOIN subject_referral AS subject
    ON subject.campaign = row.campaign AND subject.referral_ref = row.person_ref
UNION ALL
SELECT 'reg_question', row.answered_at, to_json(row)
FROM register.reg_question AS row
WHERE EXISTS (FROM subject_referral AS subject
        WHERE subject.campaign = row.campaign AND subject.referral_ref IN (row.ref_a, row.ref_b))
    OR (row.against_register AND row.ref_b IN (SELECT register_no FROM subject_registered))
UNION ALL
SELECT 'reg_withdrawal', row.recorded_at, to_json(row)
FROM register.reg_withdrawal AS row JOIN subject_referral USING (campaign, referral_ref);
