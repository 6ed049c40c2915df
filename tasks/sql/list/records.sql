-- Grain: one row a record: a referral to list, or a registered person who was known before.
CREATE OR REPLACE TEMP VIEW list_record AS
SELECT false AS registered, * FROM list_referral
UNION ALL BY NAME
SELECT true AS registered, * FROM list_known;
