-- Grain: one row a person of the health centre's standing register, as it was said last: several
-- campaigns take the same register in, and an entry sent again unchanged is said again. Who was enrolled here stays enrolled (source, referral_ref):
-- the queue knows by it that a confirmed person is on the register already.
INSERT INTO register.reg_registered BY NAME
SELECT
    register_no, full_name, sex, birth_date, resident_key, residence_village, registered_village,
    phone, diagnosis, confirmed_on, psychiatrist_licence, stability, last_visited_on,
    'import' AS source
FROM register.stg_registered_person AS version
LEFT JOIN (
    SELECT held_submission, held_row, max((file.received_at, file.recorded_at)) AS said_last
    FROM register.reg_said
    JOIN register.raw_submission AS file USING (submission_id)
    WHERE sheet = 'registered_person'
    GROUP BY held_submission, held_row
) AS said
    ON said.held_submission = version.submission_id AND said.held_row = version.row_number
WHERE is_current
QUALIFY row_number() OVER (
    PARTITION BY register_no ORDER BY said_last DESC NULLS LAST, submission_id, row_number) = 1
ON CONFLICT (register_no) DO UPDATE SET
    full_name = excluded.full_name,
    sex = excluded.sex,
    birth_date = excluded.birth_date,
    resident_key = excluded.resident_key,
    residence_village = excluded.residence_village,
    registered_village = excluded.registered_village,
    phone = excluded.phone,
    diagnosis = excluded.diagnosis,
    confirmed_on = excluded.confirmed_on,
    psychiatrist_licence = excluded.psychiatrist_licence,
    stability = excluded.stability,
    last_visited_on = excluded.last_visited_on;
