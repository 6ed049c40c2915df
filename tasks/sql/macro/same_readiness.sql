-- Whether a checklist that came with the return number of another is that one, corrected.
CREATE OR REPLACE MACRO same_readiness(was, said) AS was['village_code'] = said['village_code'];
