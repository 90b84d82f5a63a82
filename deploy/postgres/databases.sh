#!/bin/sh
# Makes a role and its databases for Temporal and for the central API. Runs once, when the volume is empty.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
  --set temporal_password="$TEMPORAL_DB_PASSWORD" --set muster_password="$MUSTER_DB_PASSWORD" <<'SQL'
create role temporal login password :'temporal_password';
create role muster login password :'muster_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
create database muster owner muster;
SQL
