-- Grain: one row a name by which the register knows somebody: HMAC-SHA256 of its letters in lower case
-- (pads of tasks.rules.pseudonyms), and how many letters it has. Names are kept in half width already.
-- Frozen records know names, too. Left out: one Chinese character, and one or two letters of another
-- script, which are words of anything.
WITH
frozen AS (
    SELECT kept.record->'record' AS record
    FROM register.reg_frozen, unnest(from_json(records, '["JSON"]')) AS kept (record)
),
named AS (
    SELECT full_name AS name FROM register.stg_referral WHERE is_current
    UNION ALL
    SELECT contact_name FROM register.stg_referral WHERE is_current
    UNION ALL
    SELECT full_name FROM register.reg_registered
    UNION ALL
    SELECT unnest([record->>'full_name', record->>'contact_name']) FROM frozen
),
spelled AS (
    SELECT DISTINCT regexp_replace(lower(nfc_normalize(name)), '[^\p{L}]', '', 'g') AS letters
    FROM named
)
SELECT sha256($outer || unhex(sha256($inner || encode(letters)))) AS hash, length(letters) AS letters
FROM spelled
WHERE length(letters) >= if(regexp_matches(letters, '\p{Han}'), 2, 3);
