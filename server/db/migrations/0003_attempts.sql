CREATE TABLE "attempts" (
	"run_id" text NOT NULL,
	"launch_id" text NOT NULL,
	"position" bigserial NOT NULL,
	"execution" text NOT NULL,
	"started_at" double precision NOT NULL,
	"state" text NOT NULL,
	"ended_at" double precision,
	"error" json,
	CONSTRAINT "attempts_run_id_launch_id_pk" PRIMARY KEY("run_id","launch_id")
);
--> statement-breakpoint
CREATE TABLE "retries" (
	"run_id" text NOT NULL,
	"execution" text NOT NULL,
	"by" text NOT NULL,
	"reason" text,
	CONSTRAINT "retries_run_id_execution_pk" PRIMARY KEY("run_id","execution")
);
--> statement-breakpoint
INSERT INTO "attempts" ("run_id", "launch_id", "execution", "started_at", "state", "ended_at")
SELECT "run_id", "launch_id", "execution", "started_at", "state",
	CASE WHEN "state" IN ('complete', 'failed', 'stopped') THEN "updated_at" END
FROM "runs" WHERE "launch_id" IS NOT NULL ORDER BY "started_at";