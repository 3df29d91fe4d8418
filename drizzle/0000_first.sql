CREATE TABLE "calls" (
	"id" text PRIMARY KEY NOT NULL,
	"request_id" text NOT NULL,
	"completion_id" text,
	"at_ms" bigint NOT NULL,
	"tenant" text NOT NULL,
	"key" text NOT NULL,
	"agent" text NOT NULL,
	"unit" text NOT NULL,
	"user" text,
	"session" text,
	"parent" text,
	"relation" text,
	"version" text NOT NULL,
	"experiment" text,
	"arm" text,
	"share" double precision,
	"decisions" jsonb NOT NULL,
	"intended" text,
	"served" text,
	"adapter" text,
	"attempts" integer NOT NULL,
	"ttft_ms" double precision,
	"latency_ms" double precision NOT NULL,
	"tokens_in" integer NOT NULL,
	"tokens_cached" integer NOT NULL,
	"tokens_out" integer NOT NULL,
	"tokens_estimated" boolean NOT NULL,
	"cost_usd" double precision,
	"outcome" text NOT NULL,
	"arm_error" boolean NOT NULL,
	"finish" text,
	"markers" jsonb NOT NULL,
	"origin" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cursors" (
	"segment" text PRIMARY KEY NOT NULL,
	"offset" bigint NOT NULL,
	"done" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"id" text PRIMARY KEY NOT NULL,
	"segment" text NOT NULL,
	"offset" bigint NOT NULL,
	"length" bigint NOT NULL,
	"reason" text NOT NULL,
	"bytes" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "experiment_units" (
	"experiment" text NOT NULL,
	"metric" text NOT NULL,
	"unit" text NOT NULL,
	"arm" text NOT NULL,
	"share" double precision NOT NULL,
	"at_ms" bigint NOT NULL,
	"events" bigint NOT NULL,
	CONSTRAINT "experiment_units_experiment_metric_unit_pk" PRIMARY KEY("experiment","metric","unit")
);
--> statement-breakpoint
CREATE TABLE "feedback" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"tenant" text NOT NULL,
	"rater" text NOT NULL,
	"key" text NOT NULL,
	"channel" text NOT NULL,
	"signal" text NOT NULL,
	"value" double precision NOT NULL,
	"text" text,
	"named_call" text,
	"completion_id" text,
	"request_id" text,
	"session" text,
	"agent" text,
	"idempotency" text,
	"said" text NOT NULL,
	"matched" text NOT NULL,
	"call" text,
	"duplicate" boolean NOT NULL,
	"counted" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reports" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"tenant" text NOT NULL,
	"agent" text,
	"session" text,
	"values" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollup_minutes" (
	"minute_ms" bigint NOT NULL,
	"agent" text NOT NULL,
	"target" text NOT NULL,
	"tenant" text NOT NULL,
	"arm" text NOT NULL,
	"calls" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"aborted" bigint NOT NULL,
	"rejected" bigint NOT NULL,
	"retries" bigint NOT NULL,
	"regenerations" bigint NOT NULL,
	"latency_sum_ms" double precision NOT NULL,
	"tokens_in" bigint NOT NULL,
	"tokens_out" bigint NOT NULL,
	"cost_sum_usd" double precision NOT NULL,
	"ratings" bigint NOT NULL,
	"rating_sum" double precision NOT NULL,
	"verdicts" bigint NOT NULL,
	"dissatisfied" bigint NOT NULL,
	"complaints" bigint NOT NULL,
	"corrections" bigint NOT NULL,
	CONSTRAINT "rollup_minutes_minute_ms_agent_target_tenant_arm_pk" PRIMARY KEY("minute_ms","agent","target","tenant","arm")
);
--> statement-breakpoint
CREATE TABLE "unit_days" (
	"day_ms" bigint NOT NULL,
	"unit" text NOT NULL,
	"calls" bigint NOT NULL,
	CONSTRAINT "unit_days_day_ms_unit_pk" PRIMARY KEY("day_ms","unit")
);
--> statement-breakpoint
CREATE TABLE "unit_hours" (
	"hour_ms" bigint NOT NULL,
	"agent" text NOT NULL,
	"target" text NOT NULL,
	"tenant" text NOT NULL,
	"unit" text NOT NULL,
	"calls" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"aborted" bigint NOT NULL,
	"rated" bigint NOT NULL,
	"dissatisfied" bigint NOT NULL,
	CONSTRAINT "unit_hours_hour_ms_agent_target_tenant_unit_pk" PRIMARY KEY("hour_ms","agent","target","tenant","unit")
);
--> statement-breakpoint
CREATE TABLE "withheld" (
	"experiment" text NOT NULL,
	"epoch" bigint NOT NULL,
	"at_ms" bigint NOT NULL,
	"cause" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "withheld_experiment_epoch_at_ms_pk" PRIMARY KEY("experiment","epoch","at_ms")
);
--> statement-breakpoint
CREATE TABLE "analyses" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"body" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at_ms" bigint NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"by" text,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "cycles" (
	"id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"started_ms" bigint NOT NULL,
	"ended_ms" bigint,
	"stages" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "experiments" (
	"id" text PRIMARY KEY NOT NULL,
	"epoch" bigint NOT NULL,
	"state" text NOT NULL,
	"agent" text NOT NULL,
	"slow_ms" double precision,
	"row" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "findings" (
	"id" text PRIMARY KEY NOT NULL,
	"analysis" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"body" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "meta" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mutations" (
	"id" text PRIMARY KEY NOT NULL,
	"epoch" bigint NOT NULL,
	"state" text NOT NULL,
	"agent" text NOT NULL,
	"seq" bigint,
	"rollback_key" text,
	"plan" text,
	"row" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"id" text PRIMARY KEY NOT NULL,
	"epoch" bigint NOT NULL,
	"state" text NOT NULL,
	"row" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "verdicts" (
	"plan" text NOT NULL,
	"mutation" text NOT NULL,
	"gate" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"verdict" text NOT NULL,
	"reason" text NOT NULL,
	"inputs_sha256" text NOT NULL,
	CONSTRAINT "verdicts_plan_mutation_gate_at_ms_pk" PRIMARY KEY("plan","mutation","gate","at_ms")
);
--> statement-breakpoint
CREATE INDEX "calls_at" ON "calls" USING btree ("agent","at_ms");--> statement-breakpoint
CREATE INDEX "calls_request" ON "calls" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "calls_completion" ON "calls" USING btree ("completion_id") WHERE "calls"."completion_id" is not null;--> statement-breakpoint
CREATE INDEX "calls_session" ON "calls" USING btree ("session","at_ms") WHERE "calls"."session" is not null;--> statement-breakpoint
CREATE INDEX "calls_experiment" ON "calls" USING btree ("experiment","arm","at_ms") WHERE "calls"."experiment" is not null;--> statement-breakpoint
CREATE INDEX "calls_parent" ON "calls" USING btree ("parent") WHERE "calls"."relation" = 'regeneration';--> statement-breakpoint
CREATE INDEX "calls_error" ON "calls" USING btree ("agent","at_ms") WHERE "calls"."arm_error";--> statement-breakpoint
CREATE INDEX "feedback_call" ON "feedback" USING btree ("call") WHERE "feedback"."counted";--> statement-breakpoint
CREATE INDEX "feedback_complaint" ON "feedback" USING btree ("at_ms") WHERE "feedback"."counted" and "feedback"."signal" = 'complaint';--> statement-breakpoint
CREATE INDEX "feedback_said" ON "feedback" USING btree ("said","at_ms") WHERE not "feedback"."duplicate";--> statement-breakpoint
CREATE INDEX "feedback_idempotency" ON "feedback" USING btree ("idempotency") WHERE "feedback"."idempotency" is not null;--> statement-breakpoint
CREATE INDEX "feedback_open" ON "feedback" USING btree ("at_ms") WHERE "feedback"."call" is null and not "feedback"."duplicate";--> statement-breakpoint
CREATE INDEX "feedback_wants_call" ON "feedback" USING btree ("named_call") WHERE "feedback"."call" is null and not "feedback"."duplicate";--> statement-breakpoint
CREATE INDEX "feedback_wants_completion" ON "feedback" USING btree ("completion_id") WHERE "feedback"."call" is null;--> statement-breakpoint
CREATE INDEX "feedback_wants_request" ON "feedback" USING btree ("request_id") WHERE "feedback"."call" is null and not "feedback"."duplicate";--> statement-breakpoint
CREATE INDEX "feedback_wants_session" ON "feedback" USING btree ("session") WHERE "feedback"."call" is null and not "feedback"."duplicate";--> statement-breakpoint
CREATE INDEX "feedback_at" ON "feedback" USING btree ("at_ms");--> statement-breakpoint
CREATE INDEX "unit_days_busy" ON "unit_days" USING btree ("unit") WHERE "unit_days"."calls" > 200;--> statement-breakpoint
CREATE INDEX "audit_subject" ON "audit" USING btree ("subject");--> statement-breakpoint
CREATE INDEX "mutations_state" ON "mutations" USING btree ("state");--> statement-breakpoint
CREATE INDEX "mutations_rollback" ON "mutations" USING btree ("rollback_key") WHERE "mutations"."rollback_key" is not null;--> statement-breakpoint
CREATE INDEX "plans_state" ON "plans" USING btree ("state");