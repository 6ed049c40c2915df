-- Grain: one row a visit that fell or falls due for a registered person. due_on by the national
-- interval from the visit before (rules/visits.py). visited_on: the visit that met it, or null.
-- state: done (visited by due_on), late (visited after), open (not visited, due_on not passed at
-- as_of), overdue (not visited, passed).
CREATE TABLE IF NOT EXISTS register.reg_visit_due (
    register_no VARCHAR NOT NULL,
    responsible_village VARCHAR NOT NULL,
    due_on DATE NOT NULL,
    visited_on DATE,
    entered_on DATE,
    state VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    PRIMARY KEY (register_no, due_on)
);
