ALTER TABLE "events" ADD COLUMN "subject" text;--> statement-breakpoint
CREATE INDEX "event_subjects" ON "events" USING btree ("run_id","subject") WHERE "events"."subject" is not null;