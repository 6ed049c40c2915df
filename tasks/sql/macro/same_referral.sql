-- Whether a referral that came with the return number of another is that one, corrected.
CREATE OR REPLACE MACRO same_referral(was, said) AS same_person(was, said);
