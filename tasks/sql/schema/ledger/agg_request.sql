-- Grain: one row an ad-hoc sweep that was asked for. Nothing about anybody it may reach.
-- request_hash: SHA-256 of what the row says from campaign to asked_by, round aside; approved is that
-- hash, in the register, so a changed row is a request nobody approved. round: kept for ever.
-- reason: a word of a closed list; of a request in the plan file, the plan's own words.
-- asked_account: the account of the machine, '' where it is not known (Prefect's form, a plan file).
-- asked_at: wall time of the plan's time zone. Rows are only ever added.
CREATE TABLE IF NOT EXISTS ledger.agg_request (
    request_hash VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    purpose VARCHAR NOT NULL,
    villages VARCHAR[] NOT NULL,
    opens DATE NOT NULL,
    due DATE NOT NULL,
    reason VARCHAR NOT NULL,
    asked_by VARCHAR NOT NULL,
    asked_account VARCHAR NOT NULL,
    asked_at TIMESTAMP NOT NULL,
    UNIQUE (campaign, round)
);
