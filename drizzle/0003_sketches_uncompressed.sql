-- Sketches are base64 of packed numbers: trying to compress them costs more than it saves.
ALTER TABLE "rollups" ALTER COLUMN "sketches" SET STORAGE EXTERNAL;
