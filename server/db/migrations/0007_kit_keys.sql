CREATE TABLE "kit_keys" (
	"run_id" text NOT NULL,
	"launch_id" text NOT NULL,
	"node" text NOT NULL,
	"sha256" text NOT NULL,
	"size" bigint NOT NULL,
	"computation" text NOT NULL,
	"dataset" text NOT NULL,
	"sealed_key" text NOT NULL,
	CONSTRAINT "kit_keys_run_id_launch_id_node_pk" PRIMARY KEY("run_id","launch_id","node")
);
