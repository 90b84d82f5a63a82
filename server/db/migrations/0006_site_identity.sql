CREATE TABLE "site_certificates" (
	"serial" text PRIMARY KEY NOT NULL,
	"site_id" text NOT NULL,
	"certificate" text NOT NULL,
	"issued_at" double precision NOT NULL,
	"not_after" double precision NOT NULL,
	"revoked_at" double precision,
	"revoked_by" text,
	"reason" text
);
--> statement-breakpoint
CREATE TABLE "site_enrolments" (
	"site_id" text PRIMARY KEY NOT NULL,
	"added_by" text NOT NULL,
	"code_hash" text,
	"expires_at" double precision NOT NULL,
	"used_at" double precision
);
--> statement-breakpoint
CREATE INDEX "site_certificates_site_id_index" ON "site_certificates" USING btree ("site_id");--> statement-breakpoint
CREATE INDEX "revoked_certificates" ON "site_certificates" USING btree ("not_after") WHERE "site_certificates"."revoked_at" is not null;