-- Grain: one row a referral of the person, in all its versions: the corrected field ($field) takes the
-- judged value. Keys stay those of what was received.
UPDATE register.stg_referral AS stored
SET
    full_name = if($field = 'full_name', staged.typed.full_name, stored.full_name),
    sex = if($field = 'sex', staged.typed.sex, stored.sex),
    birth_date = if($field = 'birth_date', staged.typed.birth_date, stored.birth_date),
    resident_key = if($field = 'resident_id', staged.typed.resident_key, stored.resident_key),
    residence_village = if($field = 'residence_village', staged.typed.residence_village, stored.residence_village),
    registered_village = if($field = 'registered_village', staged.typed.registered_village, stored.registered_village),
    phone = if($field = 'phone', staged.typed.phone, stored.phone),
    contact_name = if($field = 'contact_name', staged.typed.contact_name, stored.contact_name),
    contact_relation = if($field = 'contact_relation', staged.typed.contact_relation, stored.contact_relation),
    contact_phone = if($field = 'contact_phone', staged.typed.contact_phone, stored.contact_phone),
    care_setting = if($field = 'care_setting', staged.typed.care_setting, stored.care_setting)
FROM staged_referral AS staged
WHERE staged.submission_id = stored.referral_ref
    AND (stored.campaign, stored.referral_ref) IN (FROM subject_referral);
