CREATE TABLE "route_news" (
	"batch" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "route_news_batch_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"from_ms" bigint,
	"said" text[]
);
--> statement-breakpoint
CREATE INDEX "calls_routed" ON "calls" USING btree ("agent","at_ms") WHERE "calls"."decisions" @> '[{"name": "model-router"}]';