-- Grain: one row a part of a kept file: path below the home, 0, 1, … and at most 16 MiB of content.
CREATE TABLE fresh.kept_file (
    path VARCHAR NOT NULL,
    part INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (path, part)
);
