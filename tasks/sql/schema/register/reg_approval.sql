-- Grain: one row a request for an ad-hoc sweep that the health side decided: approved, or declined.
-- request_hash: SHA-256 of all that the request said (rules/requests.py), so of exactly that.
-- decided_at: wall time of the plan's time zone. Rows are only ever added.
CREATE TABLE IF NOT EXISTS register.reg_approval (
    request_hash VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    approved BOOLEAN NOT NULL,
    decided_by VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    UNIQUE (campaign, round)
);
