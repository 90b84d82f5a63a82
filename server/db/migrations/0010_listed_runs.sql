DROP INDEX "runs_started_at_index";--> statement-breakpoint
DROP INDEX "runs_consortium_id_started_at_index";--> statement-breakpoint
CREATE INDEX "runs_of_node" ON "nodes" USING btree ("node","run_id");--> statement-breakpoint
CREATE INDEX "listed_runs" ON "runs" USING btree ("started_at","run_id");--> statement-breakpoint
CREATE INDEX "listed_runs_of_consortium" ON "runs" USING btree ("consortium_id","started_at","run_id");--> statement-breakpoint
CREATE INDEX "listed_runs_in_state" ON "runs" USING btree ("state","started_at","run_id");