-- Grain: one row a referral of the person whom $ref names: a reference of the campaign, or a register
-- number. Of one person are the referrals that the newest list of a campaign made one, those that name
-- the same register entry, and those with the same identity number, of any campaign (as they stand now:
-- a number that was corrected was somebody else's). All versions of a referral have one reference.
CREATE OR REPLACE TEMP TABLE subject_referral AS
WITH
listed AS (
    SELECT link.campaign, link.referral_ref, link.person_ref, person.register_no
    FROM register.reg_person_referral AS link
    JOIN register.reg_person AS person USING (campaign, revision, person_ref)
    WHERE link.revision = (SELECT max(revision) FROM register.reg_list AS newest
        WHERE newest.campaign = link.campaign)
),
referral AS (
    SELECT DISTINCT campaign, referral_ref, CASE WHEN is_current THEN resident_key END AS resident_key
    FROM register.stg_referral
    WHERE referral_ref IS NOT NULL
),
named AS (
    SELECT campaign, referral_ref FROM referral WHERE campaign = $campaign AND referral_ref = $ref
    UNION
    SELECT campaign, referral_ref FROM listed WHERE register_no = $ref
    UNION
    SELECT referral.campaign, referral.referral_ref
    FROM referral
    JOIN register.reg_registered AS entry
        ON entry.referral_ref = referral.referral_ref OR entry.resident_key = referral.resident_key
    WHERE entry.register_no = $ref
),
joined AS (
    FROM named
    UNION
    SELECT other.campaign, other.referral_ref
    FROM named
    JOIN listed USING (campaign, referral_ref)
    JOIN listed AS other
        ON other.campaign = listed.campaign AND other.person_ref = listed.person_ref
),
same_number AS (
    FROM joined
    UNION
    SELECT other.campaign, other.referral_ref
    FROM joined
    JOIN referral USING (campaign, referral_ref)
    JOIN referral AS other USING (resident_key)
)
FROM same_number
UNION
SELECT other.campaign, other.referral_ref
FROM same_number
JOIN listed USING (campaign, referral_ref)
JOIN listed AS other ON other.campaign = listed.campaign AND other.person_ref = listed.person_ref;
