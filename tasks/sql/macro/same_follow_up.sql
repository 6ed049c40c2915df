-- Whether a visit that came with the return number of another is that one, corrected: it is to the same
-- person. Another person's visit is never replaced.
CREATE OR REPLACE MACRO same_follow_up(was, said) AS was['register_no'] = said['register_no'];
