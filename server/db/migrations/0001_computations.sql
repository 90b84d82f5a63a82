CREATE TABLE "computations" (
	"name" text NOT NULL,
	"version" text NOT NULL,
	"manifest" json NOT NULL,
	"image" json,
	"added_by" text NOT NULL,
	"added_at" double precision NOT NULL,
	CONSTRAINT "computations_name_version_pk" PRIMARY KEY("name","version")
);
--> statement-breakpoint
INSERT INTO "computations" ("name", "version", "manifest", "image", "added_by", "added_at")
SELECT DISTINCT ON ("computation" ->> 'name', "computation" ->> 'version')
	"computation" ->> 'name',
	"computation" ->> 'version',
	"computation",
	CASE WHEN "computation" ->> 'image' IS NULL THEN NULL
		ELSE json_build_object('digest', "computation" ->> 'image', 'labels', json_build_object()) END,
	'an earlier version of Muster',
	extract(epoch FROM now()) * 1000
FROM (SELECT "body" -> 'computation' AS "computation" FROM "consortia") AS "inline";--> statement-breakpoint
UPDATE "consortia" SET "body" = jsonb_set("body"::jsonb, '{computation}', json_build_object(
	'name', "body" -> 'computation' ->> 'name', 'version', "body" -> 'computation' ->> 'version')::jsonb)::json;
