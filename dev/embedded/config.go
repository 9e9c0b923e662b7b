package embedded

import (
	"fmt"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	// clusterName is written into the database and must not change.
	clusterName = "active"
	storeName   = "sqlite"
)

// newServer puts the server together: all four services on one shard. It gives the services' ports free, for them to take.
func newServer(o Options, p *ports, store *config.SQL, log *logger) (server temporal.Server, err error) {
	conf := serverConfig(p, store)
	claims, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, log)
	if err != nil {
		return nil, fmt.Errorf("configure the claims: %w", err)
	}
	p.releaseServices()
	done := log.build(&err)
	defer done()
	server, err = temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(p)), // one process needs no protocol to find its members
		temporal.WithLogger(log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamicConfig(o.DynamicConfig)),
	)
	if err != nil {
		return nil, fmt.Errorf("make its services: %w", err)
	}
	return server, nil
}

func staticHosts(p *ports) map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for service, port := range p.services() {
		hosts[service] = static.SingleLocalHost(port.address())
	}
	return hosts
}

func serverConfig(p *ports, store *config.SQL) *config.Config {
	frontend := p.frontend.address()
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: 1, // more would only compete for the one writer of SQLite
			DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            map[string]config.Service{},
		PublicClient:        config.PublicClient{HostPort: frontend},
	}
	conf.Global.Membership.BroadcastAddress = loopback
	for service, port := range p.services() {
		conf.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port.number(), BindOnIP: loopback}}
	}
	for _, archival := range []*string{
		&conf.Archival.History.State, &conf.Archival.Visibility.State,
		&conf.NamespaceDefaults.Archival.History.State, &conf.NamespaceDefaults.Archival.Visibility.State,
	} {
		*archival = "disabled"
	}
	return conf
}

// dynamicConfig is the tuning that makes short timers and quick tasks what an author expects of them on one machine.
func dynamicConfig(extra map[string]any) dynamicconfig.StaticClient {
	const (
		shift = "10ms"
		polls = 2000 // a second
	)
	values := dynamicconfig.StaticClient{
		// A timer may fire late by this much. The default of 1 s, meant to batch the timers of thousands of workflows, turns
		// Sleep(100ms) into a second.
		dynamicconfig.TimerProcessorMaxTimeShift.Key(): shift,
		// How often each queue of a shard may be read. The default of 20 a second is meant for thousands of shards; with one, it
		// adds 50 ms to every timer that fires, every task that is dispatched and every change that the Web UI shows.
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      polls,
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   polls,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): polls,
		// A task queue is spread over 4 partitions by default, for throughput on many hosts. With one host a task and the worker that
		// polls for it must find each other in the same one: workflows one after another take 11 ms each instead of 25.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A Web UI open in a few tabs lists more often than the default of 10 a second.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// The one call to the outside that a server makes by itself.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
	for key, value := range extra {
		values[dynamicconfig.MakeKey(key)] = value
	}
	return values
}
