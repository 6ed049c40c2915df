-- Grain: one row: of which home the backup is, when it was made (wall time of the plan's time zone), and
-- what was in the two stores then: store -> table -> rows and checksum, as JSON.
CREATE TABLE fresh.kept_backup (
    health_centre VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    contents VARCHAR NOT NULL
);
