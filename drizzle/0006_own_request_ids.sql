DROP INDEX "calls_request";--> statement-breakpoint
ALTER TABLE "calls" ALTER COLUMN "request_id" DROP NOT NULL;--> statement-breakpoint
CREATE INDEX "calls_request" ON "calls" USING btree ("request_id") WHERE "calls"."request_id" is not null;