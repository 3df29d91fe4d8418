-- Parts live for seconds and are mostly sketches: compressing them is lost work.
ALTER TABLE "rollup_parts" ALTER COLUMN "rows" SET STORAGE EXTERNAL;
