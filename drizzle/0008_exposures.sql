CREATE TABLE "exposures" (
	"experiment" text NOT NULL,
	"share" double precision NOT NULL,
	"arm" text NOT NULL,
	"unit" text NOT NULL,
	"first_ms" bigint NOT NULL,
	"last_ms" bigint NOT NULL,
	CONSTRAINT "exposures_experiment_share_arm_unit_pk" PRIMARY KEY("experiment","share","arm","unit")
);
--> statement-breakpoint
DROP INDEX "calls_completion";--> statement-breakpoint
CREATE INDEX "analyses_at" ON "analyses" USING btree ("at_ms");--> statement-breakpoint
CREATE INDEX "cycles_started" ON "cycles" USING btree ("started_ms");--> statement-breakpoint
CREATE INDEX "calls_completion" ON "calls" USING btree (hashtext("completion_id")) WHERE "calls"."completion_id" is not null;--> statement-breakpoint
INSERT INTO "exposures"
SELECT "experiment", coalesce("share", 0), "arm", "unit", min("at_ms"), max("at_ms") FROM "calls"
WHERE "experiment" IS NOT NULL AND "arm" IS NOT NULL AND "origin" = 'client' AND "outcome" <> 'rejected'
GROUP BY 1, 2, 3, 4;
