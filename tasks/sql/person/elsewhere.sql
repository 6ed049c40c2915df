-- Grain: at most one row: what else the register knows of a reference that is none of the campaign: the
-- campaign it is of, or the day on which it was erased, as the trail says (the last thing done with it).
SELECT
    (SELECT min(campaign) FROM register.stg_referral WHERE referral_ref = $ref) AS campaign,
    (SELECT max(entered_at)::DATE FROM register.reg_trail
     WHERE what IN ('erase', 'freeze', 'withdraw', 'retention') AND list_contains(subjects, $ref)) AS erased_on;
