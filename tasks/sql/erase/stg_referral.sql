-- Grain: one row a referral row of the people of subject_referral, in all its versions. The row stays
-- accounted for (file, number, verdict); all it said is gone.
UPDATE register.stg_referral AS gone
SET
    is_current = false,
    row_key = NULL,
    alt_key = NULL,
    content_hash = NULL,
    first_received_at = NULL,
    referral_ref = NULL,
    row_no = NULL,
    full_name = NULL,
    sex = NULL,
    birth_date = NULL,
    resident_key = NULL,
    residence_village = NULL,
    registered_village = NULL,
    phone = NULL,
    contact_name = NULL,
    contact_relation = NULL,
    contact_phone = NULL,
    referred_by = NULL,
    consent_by = NULL,
    consent_date = NULL,
    consent_scope = NULL,
    care_setting = NULL,
    observed_signs = NULL,
    urgency = NULL
WHERE EXISTS (FROM subject_referral AS subject
        WHERE subject.campaign = gone.campaign AND subject.referral_ref = gone.referral_ref);
