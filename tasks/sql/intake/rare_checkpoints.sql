-- Grain: none. While a delivery is taken in, the register's file is put in order rarely: each time, the
-- part of a row group that came last is compressed anew. Until then what is committed stands in the
-- write-ahead log beside it, which is encrypted as the register is.
SET checkpoint_threshold = '32MB';
