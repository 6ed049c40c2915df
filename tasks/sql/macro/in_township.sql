-- Whether a village is one of a campaign's (ref_village). The list of all is made once, not once a row.
CREATE OR REPLACE MACRO in_township(slug, village) AS
    coalesce(slug || '|' || village IN (SELECT campaign || '|' || code FROM ref_village), false);
