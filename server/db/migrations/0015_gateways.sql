CREATE TABLE "gateways" (
	"name" text PRIMARY KEY NOT NULL,
	"seen_at" double precision NOT NULL
);
