-- Grain: one row a hand-over of a registered person from one village's health staff to another's
-- (rules/handover.py). register_village: whose the person was by the register's own word at its last
-- step. from_village: who gives them, which they stay with until it is accepted. state: released,
-- accepted or taken_back; one that is released lapses by its day. released_by, ended_by: staff.
-- released_at, ended_at: wall time of the plan's time zone.
CREATE TABLE IF NOT EXISTS register.reg_handover (
    register_no VARCHAR NOT NULL,
    register_village VARCHAR NOT NULL,
    from_village VARCHAR NOT NULL,
    to_village VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    released_at TIMESTAMP NOT NULL,
    released_by VARCHAR NOT NULL,
    ended_at TIMESTAMP,
    ended_by VARCHAR,
    PRIMARY KEY (register_no, released_at)
);
