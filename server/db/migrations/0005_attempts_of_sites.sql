ALTER TABLE "attempts" ADD COLUMN "node" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "by" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "reason" text;