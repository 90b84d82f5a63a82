CREATE TABLE "api_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"person_id" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"scope" text NOT NULL,
	"created_at" double precision NOT NULL,
	"expires_at" double precision NOT NULL,
	"used_at" double precision,
	CONSTRAINT "api_tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" double precision NOT NULL,
	"action" text NOT NULL,
	"by" text NOT NULL,
	"person_id" text,
	"via" text NOT NULL,
	"address" text NOT NULL,
	"consortium_id" text,
	"site_id" text,
	"run_id" text,
	"detail" json
);
--> statement-breakpoint
CREATE TABLE "consortium_people" (
	"consortium_id" text NOT NULL,
	"person_id" text NOT NULL,
	"role" text NOT NULL,
	"added_by" text NOT NULL,
	"added_at" double precision NOT NULL,
	CONSTRAINT "consortium_people_consortium_id_person_id_pk" PRIMARY KEY("consortium_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "invitations" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"email" text,
	"grants" json NOT NULL,
	"resets" text,
	"created_by" text NOT NULL,
	"created_by_id" text NOT NULL,
	"created_at" double precision NOT NULL,
	"expires_at" double precision NOT NULL,
	"used_at" double precision,
	"used_by" text,
	CONSTRAINT "invitations_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"admin" boolean DEFAULT false NOT NULL,
	"created_at" double precision NOT NULL,
	"disabled_at" double precision,
	"password" text,
	"must_change_password" boolean DEFAULT false NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"locked_until" double precision,
	"issuer" text,
	"subject" text,
	CONSTRAINT "people_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"person_id" text,
	"operator" text,
	"created_at" double precision NOT NULL,
	"seen_at" double precision NOT NULL,
	"expires_at" double precision NOT NULL,
	"address" text NOT NULL,
	"agent" text NOT NULL,
	CONSTRAINT "sessions_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "site_people" (
	"site_id" text NOT NULL,
	"person_id" text NOT NULL,
	"added_by" text NOT NULL,
	"added_at" double precision NOT NULL,
	CONSTRAINT "site_people_site_id_person_id_pk" PRIMARY KEY("site_id","person_id")
);
--> statement-breakpoint
ALTER TABLE "site_enrolments" ADD COLUMN "added_by_id" text;--> statement-breakpoint
CREATE INDEX "api_tokens_person_id_index" ON "api_tokens" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "audit_consortium_id_id_index" ON "audit" USING btree ("consortium_id","id");--> statement-breakpoint
CREATE INDEX "audit_site_id_id_index" ON "audit" USING btree ("site_id","id");--> statement-breakpoint
CREATE INDEX "audit_run_id_id_index" ON "audit" USING btree ("run_id","id");--> statement-breakpoint
CREATE INDEX "audit_person_id_id_index" ON "audit" USING btree ("person_id","id");--> statement-breakpoint
CREATE INDEX "consortium_people_person_id_index" ON "consortium_people" USING btree ("person_id");--> statement-breakpoint
CREATE UNIQUE INDEX "people_elsewhere" ON "people" USING btree ("issuer","subject");--> statement-breakpoint
CREATE INDEX "sessions_person_id_index" ON "sessions" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "sessions_expires_at_index" ON "sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "site_people_person_id_index" ON "site_people" USING btree ("person_id");--> statement-breakpoint
CREATE FUNCTION "audit_is_kept"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'what was done stays written down: the table audit is only added to';
END
$$;--> statement-breakpoint
CREATE TRIGGER "audit_is_kept" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit" FOR EACH STATEMENT EXECUTE FUNCTION "audit_is_kept"();
