-- Grain: one row: the latest revision of the campaign's compiled list, or null before the first.
SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign;
