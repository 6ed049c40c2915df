-- Grain: one row, the person of visit_person with this number: by the register's word, and as handed over;
-- none where the consent was taken back.
SELECT register_village, responsible_village FROM visit_person WHERE register_no = $register_no AND withdrawn_on IS NULL;
