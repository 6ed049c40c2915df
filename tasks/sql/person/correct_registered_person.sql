-- Grain: one row a row of the standing register about the person, in all its versions: the corrected
-- field ($field) takes the judged value. Keys stay those of what was received.
UPDATE register.stg_registered_person AS stored
SET
    full_name = if($field = 'full_name', staged.typed.full_name, stored.full_name),
    sex = if($field = 'sex', staged.typed.sex, stored.sex),
    birth_date = if($field = 'birth_date', staged.typed.birth_date, stored.birth_date),
    resident_key = if($field = 'resident_id', staged.typed.resident_key, stored.resident_key),
    residence_village = if($field = 'residence_village', staged.typed.residence_village, stored.residence_village),
    registered_village = if($field = 'registered_village', staged.typed.registered_village, stored.registered_village),
    phone = if($field = 'phone', staged.typed.phone, stored.phone)
FROM staged_registered_person AS staged
WHERE staged.submission_id = stored.register_no
    AND stored.register_no IN (FROM subject_registered);
