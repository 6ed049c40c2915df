-- Grain: one row a frozen record whose time is over at $as_of.
DELETE FROM register.reg_frozen WHERE keep_until < $as_of;
