CREATE TABLE "notice_deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"consortium_id" text NOT NULL,
	"notice_id" text,
	"person_id" text,
	"event" text NOT NULL,
	"occasion" json,
	"run_id" text,
	"created_at" double precision NOT NULL,
	"handed_over" boolean DEFAULT false NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"tried_at" double precision,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "notices" (
	"consortium_id" text NOT NULL,
	"id" text NOT NULL,
	"body" json NOT NULL,
	"sealed_secret" text,
	"created_by" text NOT NULL,
	"created_at" double precision NOT NULL,
	"failing_since" double precision,
	"off" json,
	CONSTRAINT "notices_consortium_id_id_pk" PRIMARY KEY("consortium_id","id")
);
--> statement-breakpoint
CREATE TABLE "person_notices" (
	"person_id" text PRIMARY KEY NOT NULL,
	"on" json NOT NULL
);
--> statement-breakpoint
CREATE INDEX "notice_deliveries_consortium_id_notice_id_created_at_index" ON "notice_deliveries" USING btree ("consortium_id","notice_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "notice_deliveries_person_id_created_at_index" ON "notice_deliveries" USING btree ("person_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "notice_deliveries_run_id_index" ON "notice_deliveries" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "notices_to_hand_over" ON "notice_deliveries" USING btree ("created_at") WHERE not "notice_deliveries"."handed_over";