-- Grain: one row a record that may be one person with another. Whoever shares nothing is a person
-- alone and needs no link. Referrals come first, so the smallest node of a person is a referral.
CREATE OR REPLACE TEMP TABLE list_node AS
SELECT row_number() OVER (ORDER BY registered, ref) AS node, *
FROM list_record
WHERE hash(registered, ref) IN (FROM list_looked_at);
