-- Spreads the tables of sessions over partitions, by a hash of the session. For stores that have outgrown what one table's vacuum and
-- indexes bear; the driver does not know the difference. Run it as the owner of the schema while no process of holdfast runs:
--
--     psql -v ON_ERROR_STOP=1 -f partition.sql "$URL"
--
-- It copies everything in one transaction, and so takes as much room again and as long as that takes. Another schema than holdfast,
-- and another number of partitions, are to be written in its first lines. Migrations of later versions work on either form.
BEGIN;
SET LOCAL search_path = holdfast;
SET LOCAL statement_timeout = 0;

DO $$
DECLARE
    parts CONSTANT int := 16;
    name text;
    options text;
    kept char;
BEGIN
    FOREACH name IN ARRAY ARRAY['sessions', 'holds', 'documents', 'ledger', 'marks', 'changes', 'messages', 'presence'] LOOP
        SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', ''), relpersistence INTO options, kept
            FROM pg_class WHERE oid = name::regclass;
        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_whole');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY HASH (session)', name, name || '_whole');
        FOR n IN 0 .. parts - 1 LOOP
            EXECUTE format('CREATE %s TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s) %s',
                CASE kept WHEN 'u' THEN 'UNLOGGED' ELSE '' END, name || '_' || n, name, parts, n, options);
        END LOOP;
        EXECUTE format('INSERT INTO %I SELECT * FROM %I', name, name || '_whole');
        EXECUTE format('DROP TABLE %I CASCADE', name || '_whole'); -- and what refers to it
    END LOOP;
    FOREACH name IN ARRAY ARRAY['documents', 'ledger', 'marks', 'changes', 'messages', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE %I ADD FOREIGN KEY (session) REFERENCES sessions ON DELETE CASCADE', name);
    END LOOP;
END
$$;
COMMIT;
