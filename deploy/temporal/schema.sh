#!/bin/sh
# Brings the schemas of Temporal's two databases to the version of the tools. Can be run again: what is there stays.
# temporal-sql-tool takes where, who and the password from SQL_ variables, so that no command line holds the password.
set -eu

: "${SQL_HOST:?is to name the database server}"
: "${SQL_USER:?is to name the owner of the databases}"
: "${SQL_PASSWORD:?is to be the password of that user}"

schemas=${SCHEMAS:-/etc/temporal/schema/postgresql/v12}

# bring DATABASE FOLDER
bring() {
  echo "database $1: bringing the schema up to date"
  temporal-sql-tool --db "$1" setup-schema -v 0.0
  temporal-sql-tool --db "$1" update-schema -d "$schemas/$2/versioned"
}

bring temporal temporal
bring temporal_visibility visibility
echo "the schemas are up to date"
