-- Whether a resident ID names this birth date and sex; what is unknown cannot disagree.
CREATE OR REPLACE MACRO id_agrees(id, born, sex) AS
    born IS NULL OR sex IS NULL
    OR (id[7:14] = strftime(born, '%Y%m%d')
        AND (try_cast(id[17] AS INTEGER) % 2 = 1) = (sex = 'male'));
