package deploy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func checks() map[string]check {
	return map[string]check{
		"files": each(files), "images": each(images), "tested": each(tested), "built": built, "reread": each(reread),
		"setting names": each(settingNames), "setting values": each(settingValues),
		"order": each(order), "running": each(running), "secrets": each(secrets), "stopping": each(stopping),
		"published": each(published), "addresses": each(addresses), "health": each(health), "proxied": proxied, "scraped": scraped,
		"variables": variables, "follows": follows, "hidden": hidden, "image": image, "dynamic config": dynamicConfig, "metrics": metrics, "firsts": firsts, "dashboard": dashboard,
	}
}

// TestDeployment holds all files to all checks.
func TestDeployment(t *testing.T) {
	t.Parallel()
	for name, look := range checks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, strings.Join(look(load(t)), "\n"))
		})
	}
}

// TestChecksCanFail proves of each check that it finds the mistakes it is there for.
func TestChecksCanFail(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, c := range []struct {
		check          string
		file, old, new string
		want           string
	}{
		{"files", composeFile, "./deploy/temporal/schema.sh:", "./deploy/schema.sh:", "schema: there is no file ./deploy/schema.sh"},
		{"files", composeFile, "namespace.sh:ro", "namespace.sh", "namespace.sh could be written by the container"},
		{"files", composeFile, "- prometheus:/prometheus", "- metrics:/prometheus", "prometheus: there is no volume metrics"},
		{"files", composeFile, "context: .", "context: ./cmd", "there is no Dockerfile in ./cmd"},
		{"files", composeFile, "networks: [data]", "networks: [date]", "postgresql: there is no network date"},
		{"images", composeFile, "postgres:16.15-bookworm", "postgres", `postgresql: the image "postgres" has no version`},
		{"images", composeFile, "temporalio/ui:2.55.0", "temporalio/ui:latest", "temporal-ui: the image"},
		{"images", composeFile, "prom/prometheus:v3.14.0", "prom/prometheus:v3", "has no version"},
		{"tested", composeFile, "temporalio/server:1.32.1", "temporalio/server:1.32.0", "temporal: it is temporalio/server:1.32.0; dev/go.mod has go.temporal.io/server v"},
		{"tested", composeFile, "temporalio/admin-tools:1.32.1", "temporalio/admin-tools:1.31.0", "schema: it is temporalio/admin-tools:1.31.0"},
		{
			"tested", "dev/go.mod", "ui-server/v2 v2.55.0", "ui-server/v2 v2.56.0",
			"temporal-ui: it is temporalio/ui:2.55.0; dev/go.mod has github.com/temporalio/ui-server/v2 v2.56.0",
		},
		{"tested", "dev/go.mod", "go.temporal.io/server v", "go.temporal.io/serve v", "temporal: dev/go.mod has no go.temporal.io/server"},
		{"tested", composeFile, "temporalio/ui:", "temporalio/web:", "temporal-ui: this test does not know which module temporalio/web is"},
		{"built", composeFile, "  pull_policy: never\n", "", "codec: its image would be asked for in a registry"},
		{"built", composeFile, "command: [codec]\n", "command: [codec]\n    build:\n      context: .\n", "2 services build our image"},
		{
			"built", composeFile, "    build:\n      context: .\n      args:\n        PROGRAM: ${PROGRAM:-./cmd/holdfast}\n        VERSION: ${VERSION:-}\n", "",
			"0 services build our image",
		},
		{"built", composeFile, "    build:\n", "    profiles: [extra]\n    build:\n", "worker: it builds the image and is not always started"},
		{"built", composeFile, "image: temporalio/ui:2.55.0", "image: temporalio/ui:2.55.0\n    build:\n      context: .", "temporal-ui: what it builds is not our image"},
		{"reread", composeFile, "./deploy/temporal:/deploy:ro", "./deploy/temporal/dynamicconfig.yaml:/deploy/dynamicconfig.yaml:ro", "its changes are not seen"},
		{"reread", composeFile, "/deploy/dynamicconfig.yaml", "/deploy/dynamic.yaml", "temporal: there is no dynamic.yaml in ./deploy/temporal"},
		{"reread", composeFile, "./deploy/temporal:/deploy:ro", "./deploy/temporal:/config:ro", "nothing is mounted where /deploy/dynamicconfig.yaml is"},
		{"reread", composeFile, "DYNAMIC_CONFIG_FILE_PATH", "DYNAMIC_CONFIG", "temporal: it has no dynamic config"},
		{"setting names", composeFile, "HOLDFAST_STARTER_ADDRESS", "HOLDFAST_STARTER_AT", "starter: there is no setting HOLDFAST_STARTER_AT"},
		{"setting names", composeFile, "NUM_HISTORY_SHARDS", "HOLDFAST_LOG_LEVEL", "temporal: HOLDFAST_LOG_LEVEL is not for it"},
		{"setting values", composeFile, "HOLDFAST_LOG_FORMAT: json", "HOLDFAST_LOG_FORMAT: yaml", `log.format: "yaml" is not one of`},
		{"setting values", composeFile, "STOP_TIMEOUT: 20s", "STOP_TIMEOUT: 20", "worker.stop_timeout"},
		{"order", composeFile, "schema: { condition", "scheme: { condition", "temporal: there is no service scheme to wait for"},
		{"order", composeFile, "schema: { condition", "scheme: { condition", "schema: nobody waits for its end"},
		{"order", composeFile, "starter: { condition: service_healthy }", "schema: { condition: service_healthy }", "proxy: schema has no health check"},
		{"order", composeFile, "condition: service_completed_successfully", "condition: service_finished", `temporal: "service_finished" is not a condition`},
		{"order", composeFile, "starter: { condition: service_healthy }", "starter: { condition: service_started }", "until it is healthy"},
		{"order", composeFile, "starter: { condition: service_healthy }", "prometheus: { condition: service_healthy }", "is not always started"},
		{"order", composeFile, "starter: { condition: service_healthy }", "starter: { condition: service_completed_successfully }", "starter never ends"},
		{"running", composeFile, "  restart: unless-stopped", "  restart: \"no\"", "it does not come back after a crash"},
		{"running", composeFile, "max-size: 10m, ", "", "its logs grow without end"},
		{"running", composeFile, `security_opt: ["no-new-privileges:true"]`, "security_opt: []", "it could get new privileges"},
		{"running", composeFile, "read_only: true", "read_only: false", "worker: its files could be written"},
		{"running", composeFile, "cap_drop: [ALL]", "cap_drop: []", "starter: it has capabilities"},
		{"running", composeFile, "cap_drop: [ALL]", "cap_drop: [ALL]\n  cap_add: [SYS_ADMIN]", "codec: it has capabilities"},
		{"running", composeFile, "command: [codec]", "command: [codec]\n    user: root", "codec: its user is that of the image"},
		{"secrets", composeFile, "command: [codec]", "command: [codec, '--token=${HOLDFAST_CODEC_TOKEN:?}']", "could hold a secret"},
		{"secrets", composeFile, "/deploy/schema.sh]", "/deploy/schema.sh, '${TEMPORAL_DB_PASSWORD}']", "schema: the argument"},
		{"secrets", composeFile, "-U, postgres]", "-U, '${POSTGRES_USER}']", "postgresql: the argument"},
		{"secrets", composeFile, "${GRAFANA_PASSWORD:?", "${GRAFANA_PASSWORD:-", "grafana: GF_SECURITY_ADMIN_PASSWORD is not required"},
		{"stopping", composeFile, "stop_grace_period: 40s", "stop_grace_period: 20s", "worker: it is killed after 20s, before its 20s are over"},
		{"stopping", composeFile, "stop_grace_period: 40s", "stop_grace_period: long", "worker: stop_grace_period"},
		{"stopping", composeFile, "      HOLDFAST_WORKER_STOP_TIMEOUT: 20s\n", "", "worker: HOLDFAST_WORKER_STOP_TIMEOUT is not set"},
		{"published", composeFile, "${PAGES_PORT:-8080}:8080", "${PAGES_PORT:-8080}", "has no address, port and port"},
		{"published", composeFile, "${UI_PORT:-8233}:8080", "${UI_PORT:-8233}:8081", "temporal-ui: it does not listen on 8081, which is published"},
		{"published", composeFile, "${PUBLISH_ADDRESS:-127.0.0.1}:${GRAFANA_PORT", "0.0.0.0:${GRAFANA_PORT", "is for everybody"},
		{"published", composeFile, "shm_size: 256mb", "ports: ['5432:5432']", "postgresql: it is published"},
		{"published", proxyFile, ":8089 {", ":8090 {", "proxy: it does not listen on 8089, which is published"},
		{"addresses", composeFile, "HOLDFAST_TEMPORAL_ADDRESS: temporal:7233", "HOLDFAST_TEMPORAL_ADDRESS: temporal:7234", "temporal does not listen on 7234"},
		{"addresses", composeFile, "@postgresql:5432", "@postgres:5432", "worker: HOLDFAST_STATE_URL: there is no service postgres"},
		{"addresses", composeFile, "http://127.0.0.1:8090/", "http://127.0.0.1:80/", "proxy: it does not listen on 80, where its health check asks"},
		{"addresses", composeFile, "20s\n    networks: [data, default]", "20s", "worker: HOLDFAST_STATE_URL: postgresql is in another network"},
		{"health", composeFile, "/holdfast, health, worker", "/holdfast, health, starter", "worker: it is not asked for its health"},
		{"health", composeFile, "command: [starter]", "command: [worker]", "starter: its command is not starter"},
		{"health", composeFile, "      HOLDFAST_STARTER_OPERATOR_ADDRESS: :8081\n", "", "starter: its operator address is not set"},
		{"health", composeFile, "/holdfast, health, codec", "/holdfast, version", "codec: it is not asked for its health"},
		{"health", composeFile, "      HOLDFAST_CODEC_ADDRESS: :8089\n", "", "codec: its address is not set"},
		{"health", composeFile, `    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:3000/api/health"]
      interval: 5s
      timeout: 3s
      retries: 12
      start_period: 60s # it makes its database first
`, "", "grafana: it has no health check"},
		{"addresses", composeFile, "http://127.0.0.1:3000/", "http://127.0.0.1:300/", "grafana: it does not listen on 300"},
		{"proxied", proxyFile, "codec:8089", "codec:8088", "codec does not listen on 8088"},
		{"proxied", proxyFile, "dynamic a starter 8080", "dynamic a starters 8080", "there is no service starters"},
		{"proxied", composeFile, "      codec: { condition: service_healthy }\n", "", "proxy: it does not wait for codec"},
		{"proxied", proxyFile, "reverse_proxy codec:8089", "respond 404", "proxy: it has 1 upstreams"},
		{"proxied", proxyFile, "\t\tfail_duration 5s\n", "", "proxy: a starter that refuses or answers 503 has the fewest connections"},
		{"proxied", proxyFile, "unhealthy_status 503", "unhealthy_status 502", "gets every new one"},
		{"scraped", "deploy/prometheus/prometheus.yml", "names: [worker]", "names: [workers]", "there is no service workers"},
		{"scraped", "deploy/prometheus/prometheus.yml", "retention:", "retained:", "prometheus: it is not told how long to keep numbers"},
		{"scraped", "deploy/prometheus/prometheus.yml", "port: 8081", "port: 8082", "starter does not listen on 8082"},
		{"scraped", "deploy/prometheus/prometheus.yml", "temporal:8000", "temporal:9000", "temporal does not listen on 9000"},
		{"scraped", "deploy/grafana/provisioning/datasources/prometheus.yml", "prometheus:9090", "prometheus:9091", "grafana: the datasource: prometheus does not listen"},
		{"variables", composeFile, "${WORKERS:-2}", "${WORKERS:-3}", "WORKERS: \"# WORKERS=2\" is in .env.example"},
		{"variables", composeFile, "${WORKERS:-2}", "${WORKER_COUNT:-2}", "WORKER_COUNT: it is not in .env.example"},
		{"variables", composeFile, "${WORKERS:-2}", "2", "WORKERS: \"# WORKERS=2\" is in .env.example, and \"\" in"},
		{"variables", composeFile, "${WORKERS:-2}", "${WORKERS}", "WORKERS: without a default or a sentence it is empty"},
		{"variables", composeFile, "${UI_URL:-http://127.0.0.1:", "${UI_URL:-http://localhost:", "UI_URL: it has two defaults"},
		{"variables", envFile, "\nSTATE_DB_PASSWORD=\n", "\nSTATE_DB_PASSWORD=holdfast\n", "STATE_DB_PASSWORD: \"STATE_DB_PASSWORD=holdfast\" is in"},
		{"variables", composeFile, "${UI_PORT:-8233}}", "${WEB_PORT:-8233}}", "WEB_PORT: it is not in .env.example"},
		{"follows", composeFile, "127.0.0.1:${UI_PORT:-8233}}", "127.0.0.1:8233}", "temporal-ui: TEMPORAL_CORS_ORIGINS: nothing is published on 8233, where another port is set"},
		{"follows", composeFile, "127.0.0.1:${CODEC_PORT:-8089}}", "127.0.0.1:8089}", "temporal-ui: TEMPORAL_CODEC_ENDPOINT: nothing is published on 8089"},
		{"hidden", ".gitignore", "/.env\n", "", ".env could be committed"},
		{"hidden", ".dockerignore", "\n.*\n", "\n.git\n", ".env could get into the image"},
		{"hidden", ".gitignore", "/*.sql*\n", "", ".gitignore: a dump of the databases"},
		{"hidden", ".dockerignore", "*.sql*\n", "**/*.sql\n", ".dockerignore: **/*.sql could hide a migration"},
		{"image", "Dockerfile", "golang:1.26.", "golang:1.25.", "Dockerfile: it is built with golang:1.25."},
		{"image", "Dockerfile", "nonroot@sha256:", "nonroot-", "is another one tomorrow"},
		{"image", "Dockerfile", "nonroot@sha256:e", "latest@sha256:", "is another one tomorrow"},
		{"image", "Dockerfile", "command.stamped=", "command.version=", "there is no variable version in github.com/holdfast-run/holdfast/cmd/command"},
		{"image", "Dockerfile", "ARG VERSION=\n", "", "the program is not told its version"},
		{"image", composeFile, "        VERSION: ${VERSION:-}\n", "", "the program is not told its version"},
		{"image", "Dockerfile", "USER 65532:65532\n", "", "runs as root"},
		{"dynamic config", dynamicConfigFile, "value: 10ms", "value: 1s", "history.timerProcessorMaxTimeShift is 1s, and 10ms in"},
		{"dynamic config", dynamicConfigFile, "history.transferProcessorMaxPollRPS", "history.transferPollRPS", "history.transferProcessorMaxPollRPS is missing"},
		{"dynamic config", dynamicConfigFile, "history.transferProcessorMaxPollRPS", "history.transferPollRPS", "history.transferPollRPS is not in"},
		{"dynamic config", embeddedFile, "dynamicconfig.EnableServerVersionCheck.Key():", "dynamicconfig.EnableOther.Key():", "EnableOther"},
		{"metrics", alertsFile, "holdfast_outbox_age_seconds", "holdfast_outbox_age", "alerts.yml: nobody measures holdfast_outbox_age"},
		{"metrics", dashboardFile, "holdfast_connections{", "holdfast_sockets{", "holdfast.json: nobody measures holdfast_sockets"},
		{"metrics", dashboardFile, "max by (app, task, status) (holdfast_tasks{", "sum by (app, task, status) (holdfast_tasks{", "adds up what every starter reports"},
		{"firsts", alertsFile, `{outcome="failed"} offset 15m`, `{outcome="failed"} offset 5m`, "alerts.yml: it misses the first one of holdfast_tasks_ended_total"},
		{
			"firsts", dashboardFile, "(temporal_workflow_failed_total unless temporal_workflow_failed_total offset $__rate_interval) or ", "",
			"holdfast.json: it misses the first one of temporal_workflow_failed_total",
		},
		{"dashboard", dashboardFile, `"uid": "prometheus"`, `"uid": "mimir"`, "there is no datasource mimir"},
		{"dashboard", dashboardFile, `"title": "Connections"`, `"title": ""`, "a panel without a title"},
		{"dashboard", dashboardFile, `"id": 2,`, `"id": 1,`, "twice the id 1"},
	} {
		tried[c.check] = true
		found := checks()[c.check](load(t, edit{c.file, c.old, c.new}))
		require.Contains(t, strings.Join(found, "\n"), c.want, "%s: %s", c.check, c.new)
	}
	for name := range checks() {
		require.True(t, tried[name], "no mistake is there for the check %q", name)
	}
}

// TestUnsetVariablesAreTold: who has no .env yet reads what makes one.
func TestUnsetVariablesAreTold(t *testing.T) {
	t.Parallel()
	d := load(t)
	for _, v := range interpolations(d.read(composeFile)) {
		if v.kind == "?" {
			require.Contains(t, v.rest, "sh deploy/env.sh", "%s: the sentence says what to do", v.name)
		}
	}
}
