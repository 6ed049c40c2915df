-- Grain: one row a referral whose time is over at $as_of (retention_standing and retention_days are
-- made).
CREATE OR REPLACE TEMP TABLE retention_due AS
SELECT standing.campaign, standing.referral_ref, standing.person_ref, standing.reason
FROM retention_standing AS standing
JOIN retention_days AS kept USING (reason)
WHERE standing.since + kept.days <= $as_of;
