-- Grain: one row a referral of the revision just compiled.
INSERT INTO register.reg_person_referral BY NAME
SELECT $campaign AS campaign, $revision AS revision, * FROM list_person_referral;
