DROP TABLE "rollup_minutes" CASCADE;--> statement-breakpoint
DROP TABLE "unit_days" CASCADE;--> statement-breakpoint
DROP TABLE "unit_hours" CASCADE;