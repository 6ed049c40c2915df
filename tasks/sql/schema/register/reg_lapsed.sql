-- Grain: one row a key of an erased referral row: a consent given up to lapsed_on no longer holds, so
-- that a village's old file sent again does not bring back who was erased. A new consent does hold.
-- row_key: the keyed hash by which intake recognises a row; it names nobody, and goes after remove_on,
-- when any consent that it could refuse has expired by itself.
CREATE TABLE IF NOT EXISTS register.reg_lapsed (
    campaign VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    sender_village VARCHAR NOT NULL,
    row_key VARCHAR NOT NULL,
    lapsed_on DATE NOT NULL,
    remove_on DATE NOT NULL
);
