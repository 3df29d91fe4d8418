-- A unit's row is written again as its day goes on: with room in its page, no index is touched.
ALTER TABLE "unit_facts" SET (fillfactor = 60);
