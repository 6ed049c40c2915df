-- Whether a grid that came with the return number of another is that one, corrected: its name was put
-- right, or its figures were.
CREATE OR REPLACE MACRO same_coverage(was, said) AS
    was['grid'] = said['grid'] OR was['households'] = said['households'];
