-- Whether a village is one of a campaign's (ref_village).
CREATE OR REPLACE MACRO in_township(slug, village) AS
    EXISTS (FROM ref_village WHERE ref_village.campaign = slug AND ref_village.code = village);
