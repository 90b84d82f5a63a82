#!/bin/sh
# Brings the tables of Temporal's two databases up to date. Runs at every start and changes nothing when they are.
# SQL_HOST, SQL_USER and SQL_PASSWORD say which server.
set -eu

schema() { # schema DATABASE NAME
  temporal-sql-tool --plugin postgres12 --port 5432 --database "$1" setup-schema --version 0.0
  temporal-sql-tool --plugin postgres12 --port 5432 --database "$1" update-schema --schema-name "postgresql/v12/$2"
}

schema temporal temporal
schema temporal_visibility visibility
