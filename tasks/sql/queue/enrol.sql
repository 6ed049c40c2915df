-- Grain: one row a person who is newly on the register: confirmed by a psychiatrist, and agreed to
-- community management at the assessment; not where a later outcome says otherwise by now, or a rerun
-- for an earlier day would bring back who was taken off. Numbered by day of assessment, then by reference; a number
-- that visits or a frozen record name already is never given again.
INSERT INTO register.reg_registered BY NAME
WITH
enrolled AS (
    SELECT
        told.person_ref,
        told.decided.assessed_on AS confirmed_on,
        told.decided.diagnosis AS diagnosis,
        told.decided.psychiatrist_licence AS psychiatrist_licence,
        told.decided.referral_ref AS referral_ref
    FROM queue_outcome AS told
    JOIN queue_state AS state ON state.person_ref = told.person_ref
    WHERE state.ended = 'confirmed'
        AND told.decided.enrols
        AND told.decided.referral_ref IN (SELECT referral_ref FROM queue_verdict WHERE enrols)
        AND NOT EXISTS (
            FROM register.reg_registered AS g
            JOIN queue_member AS member ON member.referral_ref = g.referral_ref
            WHERE g.source = 'assessment' AND member.person_ref = told.person_ref
        )
),
spoken AS (
    SELECT
        member.person_ref, r.full_name, r.sex, r.birth_date, r.residence_village,
        r.registered_village, r.resident_key, r.phone,
        row_number() OVER (
            PARTITION BY member.person_ref
            ORDER BY r.consent_date DESC, r.round DESC, r.sender_village DESC, r.row_number DESC
        ) AS newest
    FROM queue_member AS member
    JOIN register.stg_referral AS r
        ON r.campaign = $campaign AND r.is_current AND r.referral_ref = member.referral_ref
),
described AS (
    SELECT
        latest.* EXCLUDE (resident_key, phone, newest),
        known.resident_key,
        known.phone
    FROM spoken AS latest
    JOIN (
        SELECT
            person_ref,
            arg_min(resident_key, newest) AS resident_key,
            arg_min(phone, newest) AS phone
        FROM spoken
        GROUP BY person_ref
    ) AS known ON known.person_ref = latest.person_ref
    WHERE latest.newest = 1
),
given AS (
    SELECT register_no FROM register.reg_registered
    UNION
    SELECT register_no FROM register.stg_follow_up WHERE register_no IS NOT NULL
    UNION
    SELECT register_no FROM register.reg_frozen
),
last_given AS (
    SELECT register_no[2:5]::INTEGER AS year, max(register_no[6:]::BIGINT) AS number
    FROM given
    WHERE regexp_full_match(register_no, 'R\d{4}\d{4,9}')
    GROUP BY year
)
SELECT
    printf(
        'R%d%04d',
        year(enrolled.confirmed_on),
        coalesce(last_given.number, 0) + row_number() OVER (
            PARTITION BY year(enrolled.confirmed_on)
            ORDER BY enrolled.confirmed_on, enrolled.person_ref
        )
    ) AS register_no,
    described.* EXCLUDE (person_ref),
    enrolled.* EXCLUDE (person_ref),
    'assessment' AS source
FROM enrolled
JOIN described ON described.person_ref = enrolled.person_ref
LEFT JOIN last_given ON last_given.year = year(enrolled.confirmed_on);
