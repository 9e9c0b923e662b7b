package embedded

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/serialization"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/searchattribute/sadefs"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ensureNamespace makes the namespace where it is missing, and adds the search attributes that it lacks. It writes to the
// database before the server starts: the services learn of a change that is made through the API some seconds later, each in
// its own time.
func ensureNamespace(ctx context.Context, store *config.SQL, o Options) error {
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, o.Namespace, false, nil)
	if err != nil {
		return fmt.Errorf("describe namespace %q: %w", o.Namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(o.Retention)
	if err := sqliteschema.CreateNamespaces(store, namespace); err != nil {
		return fmt.Errorf("make namespace %q: %w", o.Namespace, err)
	}
	if len(o.SearchAttributes) == 0 {
		return nil
	}
	if err := addSearchAttributes(ctx, store, o); err != nil {
		return fmt.Errorf("add search attributes to namespace %q: %w", o.Namespace, err)
	}
	return nil
}

func addSearchAttributes(ctx context.Context, store *config.SQL, o Options) (err error) {
	db, err := sql.NewSQLDB(sqlplugin.DbKindUnknown, store, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.SelectFromNamespace(ctx, sqlplugin.NamespaceFilter{Name: &o.Namespace})
	if err != nil {
		return fmt.Errorf("read the namespace: %w", err)
	}
	row := rows[0]
	blob := persistence.NewDataBlob(row.Data, row.DataEncoding)
	detail, err := serialization.NewSerializer().NamespaceDetailFromBlob(blob)
	if err != nil {
		return fmt.Errorf("decode the namespace: %w", err)
	}
	if err := assignFields(detail.GetConfig(), o.SearchAttributes); err != nil {
		return err
	}
	if blob, err = serialization.NewSerializer().NamespaceDetailToBlob(detail); err != nil {
		return fmt.Errorf("encode the namespace: %w", err)
	}
	row.Data, row.DataEncoding = blob.GetData(), blob.GetEncodingType().String()
	if _, err := db.UpdateNamespace(ctx, &row); err != nil {
		return fmt.Errorf("write the namespace: %w", err)
	}
	return nil
}

// assignFields gives each attribute that has none one of the columns that the schema has for its type.
func assignFields(namespace *persistencespb.NamespaceConfig, wanted map[string]enums.IndexedValueType) error {
	types := sadefs.GetDBIndexSearchAttributes(nil).GetCustomSearchAttributes()
	if namespace.CustomSearchAttributeAliases == nil {
		namespace.CustomSearchAttributeAliases = map[string]string{}
	}
	names := namespace.GetCustomSearchAttributeAliases() // by field
	fields := map[string]string{}                        // by name
	for field, name := range names {
		fields[name] = field
	}
	for name, kind := range wanted {
		if field, ok := fields[name]; ok {
			if types[field] != kind {
				return fmt.Errorf("%s is of type %s already, it cannot become %s", name, types[field], kind)
			}
			continue
		}
		field, err := freeField(types, names, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		names[field] = name
	}
	return nil
}

func freeField(types map[string]enums.IndexedValueType, taken map[string]string, kind enums.IndexedValueType) (string, error) {
	for field, fieldType := range types {
		if _, isTaken := taken[field]; fieldType == kind && !isTaken {
			return field, nil
		}
	}
	return "", fmt.Errorf("no room for another attribute of type %s", kind)
}
