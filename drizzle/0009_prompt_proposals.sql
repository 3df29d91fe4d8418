CREATE TABLE "prompt_candidates" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"agent" text NOT NULL,
	"state" text NOT NULL,
	"row" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "prompt_samples" (
	"call" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"tenant" text NOT NULL,
	"agent" text NOT NULL,
	"unit" text NOT NULL,
	"user" text,
	"session" text,
	"served" text NOT NULL,
	"half" text NOT NULL,
	"label" text NOT NULL,
	"bytes" integer NOT NULL,
	"turns" jsonb NOT NULL,
	"answer" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "proposal_days" (
	"day" text PRIMARY KEY NOT NULL,
	"calls" integer NOT NULL,
	"tokens" bigint NOT NULL,
	"usd_micros" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "prompt_candidates_agent" ON "prompt_candidates" USING btree ("agent","at_ms");--> statement-breakpoint
CREATE INDEX "prompt_samples_agent" ON "prompt_samples" USING btree ("agent","half","at_ms");--> statement-breakpoint
CREATE INDEX "prompt_samples_label" ON "prompt_samples" USING btree ("label","at_ms");