CREATE TABLE "site_answers" (
	"site_id" text NOT NULL,
	"ask_id" text NOT NULL,
	"verdict" text NOT NULL,
	"why" text,
	"by" text NOT NULL,
	"at" double precision NOT NULL,
	CONSTRAINT "site_answers_site_id_ask_id_pk" PRIMARY KEY("site_id","ask_id")
);
