-- Grain: one row a registered person whose visits can be judged at $as_of: whose they are, and what their
-- visits count from. The register's own word is the residence village, the village of household
-- registration only where that alone is the township's; a hand-over accepted up to $as_of goes before it
-- until the register itself names another village. since: the last visit the register knew of when it
-- first named the person, else the diagnosis; a later visit in a register sent again is one of visit_event,
-- so that what was owed before does not vanish. Nothing is due of those who died before. withdrawn_on:
-- when whoever was enrolled here took the consent back.
CREATE OR REPLACE TEMP TABLE visit_person AS
WITH
word AS (
    SELECT register_no, received_at, residence_village, registered_village
    FROM register.stg_registered_person
    WHERE verdict = 'accepted'
    UNION ALL
    SELECT register_no, NULL, residence_village, registered_village
    FROM register.reg_registered
),
named AS (
    SELECT
        register_no,
        received_at,
        CASE
            WHEN list_contains($villages, registered_village)
                AND NOT list_contains($villages, residence_village) THEN registered_village
            ELSE residence_village
        END AS register_village
    FROM word
),
first_said AS (
    SELECT
        register_no,
        max_by(last_visited_on, received_at) FILTER (is_first) AS last_visited_on,
        max_by(stability, received_at) FILTER (is_first) AS stability
    FROM register_word
    GROUP BY register_no
),
person AS (
    SELECT
        entry.register_no,
        entry.referral_ref,
        named.register_village,
        if(said.register_no IS NULL, entry.last_visited_on, said.last_visited_on)
            AS last_visited_on,
        entry.confirmed_on,
        coalesce(said.stability, entry.stability) AS stability
    FROM register.reg_registered AS entry
    -- the register as it stands now: the word without a day
    JOIN named ON named.register_no = entry.register_no AND named.received_at IS NULL
    LEFT JOIN first_said AS said ON said.register_no = entry.register_no
),
handed AS (
    SELECT register_no, register_village, to_village
    FROM (
        FROM register.reg_handover
        WHERE state = 'accepted' AND ended_at::DATE <= $as_of
        QUALIFY row_number() OVER (
            PARTITION BY register_no ORDER BY ended_at DESC, released_at DESC) = 1
    ) AS newest
    -- once the register has named another village it is over, also where somebody moves back
    WHERE NOT EXISTS (FROM named
        WHERE named.register_no = newest.register_no AND named.received_at > newest.ended_at
            AND named.register_village <> newest.register_village)
),
gone AS (
    SELECT register_no, min(visited_on) AS died_on
    FROM register.stg_follow_up
    WHERE is_current AND lost_reason = 'died' AND visited_on <= $as_of
    GROUP BY register_no
),
withdrawn AS (
    SELECT referral_ref, min(withdrawn_on) AS withdrawn_on
    FROM register.reg_withdrawal
    WHERE withdrawn_on <= $as_of
    GROUP BY referral_ref
)
SELECT
    person.register_no,
    person.register_village,
    coalesce(handed.to_village, person.register_village) AS responsible_village,
    coalesce(person.last_visited_on, person.confirmed_on) AS since,
    person.last_visited_on,
    person.confirmed_on,
    person.stability,
    gone.died_on,
    withdrawn.withdrawn_on
FROM person
LEFT JOIN handed
    ON handed.register_no = person.register_no AND handed.register_village = person.register_village
LEFT JOIN gone ON gone.register_no = person.register_no
LEFT JOIN withdrawn ON withdrawn.referral_ref = person.referral_ref
WHERE since <= $as_of AND coalesce(gone.died_on >= since, true);
