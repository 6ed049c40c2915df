-- Whether a month that came with the return number of another is that one, corrected.
CREATE OR REPLACE MACRO same_service_month(was, said) AS
    was['village_code'] = said['village_code'] AND was['month'] = said['month'];
