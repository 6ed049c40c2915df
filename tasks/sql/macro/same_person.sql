-- Whether two rows that bear one return number are about one person: the second corrects the first.
-- One ID number is one person. Of name, birth date and sex one may be put right: a name by one sign or
-- where the telephone is the same, a date by one part or where day and month were exchanged. Two ID
-- numbers are one person's only where all else agrees. Anybody else was written over the row.
CREATE OR REPLACE MACRO same_person(was, said) AS
    CASE
        WHEN was['resident_key'] = said['resident_key'] THEN true
        WHEN was['resident_key'] <> said['resident_key'] THEN
            was['full_name'] = said['full_name'] AND was['birth_date'] = said['birth_date']
            AND was['sex'] = said['sex']
        WHEN was['full_name'] = said['full_name'] THEN
            was['birth_date'] = said['birth_date']
            OR (was['sex'] = said['sex'] AND (dates_alike(was['birth_date'], said['birth_date'])
                OR coalesce(was['phone'] = said['phone'], false)))
        ELSE was['birth_date'] = said['birth_date'] AND was['sex'] = said['sex']
            AND (levenshtein(was['full_name'], said['full_name']) <= 1
                OR coalesce(was['phone'] = said['phone'], false))
    END;
