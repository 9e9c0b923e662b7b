-- The databases and their owners, neither of whom may do more in the server than the owner of a database may. PostgreSQL's image runs
-- this once, when the volume is empty. The passwords come from the environment, so that no command line holds them.
\set ON_ERROR_STOP on
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv holdfast_password STATE_DB_PASSWORD

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

CREATE ROLE holdfast LOGIN PASSWORD :'holdfast_password';
CREATE DATABASE holdfast OWNER holdfast;

-- By default everybody may connect to every database.
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, holdfast FROM PUBLIC;
