-- Grain: one row a registered person who left community management: the clinical record, kept because
-- the law demands it and used for nothing. records: [{"table": …, "record": {…}}] as JSON, whole rows
-- of the tables they stood in. keep_until: after that day retention erases it.
CREATE TABLE IF NOT EXISTS register.reg_frozen (
    register_no VARCHAR NOT NULL,
    frozen_on DATE NOT NULL,
    keep_until DATE NOT NULL,
    reason VARCHAR NOT NULL,
    records VARCHAR NOT NULL,
    PRIMARY KEY (register_no, frozen_on)
);
