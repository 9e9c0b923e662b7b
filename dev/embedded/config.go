package embedded

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	storeName   = "sqlite"
)

// newServer puts the server together: all four services on one shard.
func newServer(o Options, p ports, log *logger) (temporal.Server, error) {
	store, err := database(o)
	if err != nil {
		return nil, err
	}
	conf := serverConfig(p, store)
	claims, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, log)
	if err != nil {
		return nil, fmt.Errorf("configure the embedded server: %w", err)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(p.hosts()),
		temporal.WithLogger(log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamic(o.Dynamic)),
	)
	if err != nil {
		return nil, fmt.Errorf("make the embedded server: %w", err)
	}
	return server, nil
}

func (p ports) hosts() map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for service, port := range p.grpc() {
		hosts[primitives.ServiceName(service)] = static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(port)))
	}
	return hosts
}

// database prepares the SQLite store: its schema where the file is new, and the namespace.
func database(o Options) (*config.SQL, error) {
	store := &config.SQL{PluginName: sqlite.PluginName, ConnectAttributes: map[string]string{}}
	if o.Database == "" {
		store.DatabaseName = "holdfast-" + rand.Text() // servers in one process must not share it
		store.ConnectAttributes["mode"], store.ConnectAttributes["cache"] = "memory", "shared"
	} else {
		store.DatabaseName = o.Database
		store.ConnectAttributes["mode"] = "rwc"
		// A commit appends to a log, and the disk is waited for at checkpoints only: two to four times the throughput. A killed process
		// loses nothing; a machine without power may lose the last moments, but the file stays whole.
		store.ConnectAttributes["journal_mode"], store.ConnectAttributes["synchronous"] = "wal", "1"
		if err := setUp(store); err != nil {
			return nil, fmt.Errorf("the embedded server's database %s: %w", o.Database, err)
		}
	}
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, o.Namespace, false, nil)
	if err != nil {
		return nil, fmt.Errorf("configure namespace %q: %w", o.Namespace, err)
	}
	if err := sqliteschema.CreateNamespaces(store, namespace); err != nil {
		return nil, fmt.Errorf("the embedded server's database %s: make namespace %q: %w", o.Database, o.Namespace, err)
	}
	return store, nil
}

// setUp makes the schema of a database that does not exist yet. A set-up that was cut short leaves a file without a
// schema, so it is made under another name first.
func setUp(store *config.SQL) error {
	path := store.DatabaseName
	if _, err := os.Stat(path); err == nil || !os.IsNotExist(err) {
		return err
	}
	fresh := *store
	fresh.DatabaseName = path + ".new"
	if err := os.RemoveAll(fresh.DatabaseName); err != nil {
		return err
	}
	fresh.ConnectAttributes = map[string]string{"mode": "rwc"} // no WAL: one file, so that the rename takes all of it
	if err := sqliteschema.SetupSchema(&fresh); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	return os.Rename(fresh.DatabaseName, path)
}

func serverConfig(p ports, store *config.SQL) *config.Config {
	frontend := net.JoinHostPort(loopback, strconv.Itoa(p.frontend))
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend, ClusterID: clusterName},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            map[string]config.Service{},
		PublicClient:        config.PublicClient{HostPort: frontend},
	}
	conf.Global.Membership.BroadcastAddress = loopback
	for service, port := range p.grpc() {
		conf.Services[service] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	for _, archival := range []*string{&conf.Archival.History.State, &conf.Archival.Visibility.State,
		&conf.NamespaceDefaults.Archival.History.State, &conf.NamespaceDefaults.Archival.Visibility.State} {
		*archival = "disabled"
	}
	return conf
}

// dynamic is the tuning that makes short timers and quick tasks what an author expects of them on one machine.
func dynamic(extra map[string]any) dynamicconfig.StaticClient {
	const (
		shift = "10ms"
		polls = 2000
	)
	values := dynamicconfig.StaticClient{
		// A timer may fire late by this much; the default of 1 s turns every Sleep(500ms) into a second.
		dynamicconfig.TimerProcessorMaxTimeShift.Key(): shift,
		// How often a second each queue of the shard may be read; the default of 20 adds 50 ms to every step.
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      polls,
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   polls,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): polls,
		// The Web UI lists more often than a production server would allow.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// Nothing here calls out to the internet.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
	for key, value := range extra {
		values[dynamicconfig.MakeKey(key)] = value
	}
	return values
}

// prepare makes the directory of the database.
func prepare(path string) error {
	const ownerOnly = 0o700
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return fmt.Errorf("the directory of the embedded server's database: %w", err)
	}
	return nil
}
