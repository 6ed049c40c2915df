-- Grain: none. The referrals of a list that is written are not kept in memory.
DROP TABLE IF EXISTS list_person_referral;
