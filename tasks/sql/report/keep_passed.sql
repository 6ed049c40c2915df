-- Grain: one row a part that passed the gate, by the SHA-256 of its UTF-8 text. Only the gate runs this.
INSERT INTO ledger.out_part
SELECT $campaign, $phase, $round, $revision, unnest($kinds::VARCHAR[]), unnest($hashes::VARCHAR[])
ON CONFLICT DO NOTHING
