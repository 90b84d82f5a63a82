CREATE TABLE "consortia" (
	"id" text PRIMARY KEY NOT NULL,
	"body" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "errors" (
	"run_id" text NOT NULL,
	"identity" text NOT NULL,
	"launch_id" text,
	"node" text NOT NULL,
	"error" json NOT NULL,
	"count" integer NOT NULL,
	"first_at" double precision NOT NULL,
	"last_at" double precision NOT NULL,
	"retrying" boolean NOT NULL,
	CONSTRAINT "errors_run_id_identity_pk" PRIMARY KEY("run_id","identity")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"at" double precision NOT NULL,
	"type" text NOT NULL,
	"data" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "launches" (
	"run_id" text NOT NULL,
	"launch_id" text NOT NULL,
	"endpoint" json NOT NULL,
	"started_at" double precision NOT NULL,
	CONSTRAINT "launches_run_id_launch_id_pk" PRIMARY KEY("run_id","launch_id")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"run_id" text NOT NULL,
	"node" text NOT NULL,
	"position" bigserial NOT NULL,
	"state" text NOT NULL,
	"view" json NOT NULL,
	"launch_id" text,
	"execution" text DEFAULT '' NOT NULL,
	"reported_at" double precision DEFAULT 0 NOT NULL,
	"reported_seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "nodes_run_id_node_pk" PRIMARY KEY("run_id","node")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"run_id" text PRIMARY KEY NOT NULL,
	"consortium_id" text NOT NULL,
	"started_at" double precision NOT NULL,
	"state" text NOT NULL,
	"view" json NOT NULL,
	"launch_id" text,
	"execution" text DEFAULT '' NOT NULL,
	"reported_at" double precision DEFAULT 0 NOT NULL,
	"reported_seq" bigint DEFAULT 0 NOT NULL,
	"updated_at" double precision NOT NULL,
	"input" json,
	"requested" json,
	"idempotency_key" text,
	"handed_over" boolean DEFAULT true NOT NULL,
	CONSTRAINT "runs_consortiumId_idempotencyKey_unique" UNIQUE("consortium_id","idempotency_key")
);
--> statement-breakpoint
CREATE INDEX "events_run_id_id_index" ON "events" USING btree ("run_id","id");--> statement-breakpoint
CREATE INDEX "runs_started_at_index" ON "runs" USING btree ("started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "runs_consortium_id_started_at_index" ON "runs" USING btree ("consortium_id","started_at" DESC NULLS LAST);