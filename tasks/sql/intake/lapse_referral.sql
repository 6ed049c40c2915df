-- Grain: one row a staged referral whose consent is from before this person was erased (reg_lapsed): it
-- is judged as a row without consent. A consent given after that day is a new one, and holds.
UPDATE staged_referral AS staged
SET has_consent = false, failed_rules = [], rules = NULL
FROM arrived, register.reg_lapsed AS gone
WHERE staged.submission_id = arrived.submission_id
    AND gone.campaign = arrived.campaign
    AND gone.round = arrived.round
    AND gone.sender_village = arrived.sender_village
    AND gone.row_key IN (staged.row_key, staged.alt_key)
    AND staged.typed.consent_date <= gone.lapsed_on;
