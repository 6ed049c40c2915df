-- Grain: one row a referral that came with a number of which another referral is accepted already, and
-- agrees with it in neither name nor birth date nor ID: somebody wrote a new person over a returned
-- row. It stands for itself; a number is no reason to replace another person.
DELETE FROM came_back AS came
USING staged_referral AS staged, arrived, register.reg_return AS sent, register.stg_referral AS kept
WHERE came.sheet = 'referral'
    AND staged.submission_id = came.submission_id
    AND staged.row_number = came.row_number
    AND arrived.submission_id = came.submission_id
    AND sent.sheet = 'referral'
    AND sent.return_id = came.return_id
    AND kept.submission_id = sent.submission_id
    AND kept.row_number = sent.row_number
    AND kept.is_current
    AND kept.campaign = arrived.campaign
    AND kept.phase = arrived.phase
    AND kept.round = arrived.round
    AND kept.sender_village = arrived.sender_village
    AND NOT coalesce(kept.full_name = staged.typed.full_name, false)
    AND NOT coalesce(kept.birth_date = staged.typed.birth_date, false)
    AND NOT coalesce(kept.resident_key = staged.typed.resident_key, false);
