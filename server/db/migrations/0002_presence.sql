CREATE TABLE "sites" (
	"site_id" text PRIMARY KEY NOT NULL,
	"seen_at" double precision NOT NULL,
	"state" text NOT NULL,
	"runtimes" json NOT NULL,
	"version" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "told_away" text;--> statement-breakpoint
CREATE INDEX "open_nodes" ON "nodes" USING btree ("node") WHERE "nodes"."state" not in ('complete', 'failed', 'refused', 'stopped', 'lost');