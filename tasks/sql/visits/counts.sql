-- Grain: one row a state: how many due visits.
SELECT state, count(*)::INTEGER FROM register.reg_visit_due GROUP BY state;
