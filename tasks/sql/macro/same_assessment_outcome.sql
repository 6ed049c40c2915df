-- Whether an outcome that came with the return number of another is that one, corrected: it is about
-- the same referral. Another person's outcome is never replaced.
CREATE OR REPLACE MACRO same_assessment_outcome(was, said) AS
    was['referral_ref'] = said['referral_ref'];
