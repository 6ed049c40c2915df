-- Whether a role that came with the return number of another is that one, corrected.
CREATE OR REPLACE MACRO same_care_group(was, said) AS
    was['village_code'] = said['village_code'] AND was['role'] = said['role'];
