CREATE TABLE "rollup_changes" (
	"span_ms" bigint NOT NULL,
	"at_ms" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "rollup_changes_span_ms_at_ms_pk" PRIMARY KEY("span_ms","at_ms")
);
--> statement-breakpoint
CREATE TABLE "rollups" (
	"span_ms" bigint NOT NULL,
	"at_ms" bigint NOT NULL,
	"arm" text NOT NULL,
	"agent" text NOT NULL,
	"target" text NOT NULL,
	"tenant" text NOT NULL,
	"category" text NOT NULL,
	"calls" bigint NOT NULL,
	"counts" jsonb NOT NULL,
	"units" jsonb,
	"sketches" text,
	"evidence" jsonb,
	"latency_p50_ms" double precision,
	"latency_p95_ms" double precision,
	"ttft_p50_ms" double precision,
	"tokens_mean" double precision,
	"cost_mean_usd" double precision,
	CONSTRAINT "rollups_span_ms_at_ms_arm_agent_target_tenant_category_pk" PRIMARY KEY("span_ms","at_ms","arm","agent","target","tenant","category")
);
--> statement-breakpoint
CREATE TABLE "slow_bars" (
	"agent" text PRIMARY KEY NOT NULL,
	"slow_ms" double precision NOT NULL,
	"since_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "unit_facts" (
	"day_ms" bigint NOT NULL,
	"agent" text NOT NULL,
	"unit" text NOT NULL,
	"half" smallint NOT NULL,
	"calls" bigint NOT NULL,
	"seen" text NOT NULL,
	CONSTRAINT "unit_facts_day_ms_agent_unit_pk" PRIMARY KEY("day_ms","agent","unit")
);
--> statement-breakpoint
DROP INDEX "calls_error";--> statement-breakpoint
DROP INDEX "calls_at";--> statement-breakpoint
DROP INDEX "calls_parent";--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "category" text;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "says" text;--> statement-breakpoint
CREATE INDEX "unit_facts_busy" ON "unit_facts" USING btree ("unit") WHERE "unit_facts"."calls" > 200;--> statement-breakpoint
CREATE INDEX "calls_at" ON "calls" USING brin ("at_ms");--> statement-breakpoint
CREATE INDEX "calls_parent" ON "calls" USING btree ("parent") WHERE "calls"."says" is not null;