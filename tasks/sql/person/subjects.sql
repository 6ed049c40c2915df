-- Grain: one row a reference or register number of the person looked for, and what is known of it.
SELECT referral_ref AS ref, 'referral' AS kind FROM subject_referral
UNION ALL
SELECT register_no, 'registered' FROM subject_registered JOIN register.reg_registered USING (register_no)
UNION ALL
SELECT DISTINCT register_no, 'frozen' FROM subject_registered JOIN register.reg_frozen USING (register_no)
ORDER BY kind, ref;
