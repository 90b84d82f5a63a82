CREATE TABLE "memberships" (
	"consortium_id" text NOT NULL,
	"site_id" text NOT NULL,
	"position" integer NOT NULL,
	"name" text NOT NULL,
	"state" text NOT NULL,
	"dataset" text,
	"invited_by" text NOT NULL,
	"invited_at" double precision NOT NULL,
	"answered_by" text,
	"answered_at" double precision,
	"reason" text,
	CONSTRAINT "memberships_consortium_id_site_id_pk" PRIMARY KEY("consortium_id","site_id")
);
--> statement-breakpoint
CREATE TABLE "page_answers" (
	"site_id" text NOT NULL,
	"ask_id" text NOT NULL,
	"run_id" text NOT NULL,
	"verdict" text NOT NULL,
	"by" text NOT NULL,
	"at" double precision NOT NULL,
	"why" text,
	CONSTRAINT "page_answers_site_id_ask_id_pk" PRIMARY KEY("site_id","ask_id")
);
--> statement-breakpoint
CREATE TABLE "site_readiness" (
	"site_id" text PRIMARY KEY NOT NULL,
	"at" double precision NOT NULL,
	"body" json NOT NULL
);
--> statement-breakpoint
ALTER TABLE "consortia" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "consortia" ADD COLUMN "archived_at" double precision;--> statement-breakpoint
CREATE INDEX "memberships_site_id_state_index" ON "memberships" USING btree ("site_id","state");--> statement-breakpoint
INSERT INTO "memberships" ("consortium_id", "site_id", "position", "name", "state", "dataset", "invited_by", "invited_at", "answered_by", "answered_at")
SELECT c."id", s.site ->> 'id', s.place - 1, s.site ->> 'name', 'accepted', s.site ->> 'dataset', 'an admin', extract(epoch from now()) * 1000, 'an admin', extract(epoch from now()) * 1000
FROM "consortia" c, json_array_elements(c."body" -> 'sites') WITH ORDINALITY AS s(site, place);
