package deploy

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const dashboardFile = "deploy/grafana/dashboards/holdfast.json"

// measured are the metrics that there are: our own, those of Temporal's SDK, and those of its server.
func measured() []string {
	histograms := []string{
		"holdfast_section_duration_seconds", "holdfast_lock_wait_seconds", "holdfast_commit_to_send_seconds",
		"temporal_workflow_task_schedule_to_start_latency_seconds", "temporal_activity_schedule_to_start_latency_seconds",
		"persistence_latency",
	}
	all := []string{
		"up",
		"holdfast_ledger_hits_total", "holdfast_connections", "holdfast_outbox_age_seconds", "holdfast_tasks",
		"holdfast_tasks_started_total", "holdfast_tasks_ended_total",
		"temporal_worker_task_slots_available", "temporal_sticky_cache_size", "temporal_sticky_cache_hit_total",
		"temporal_sticky_cache_miss_total", "temporal_request_total", "temporal_request_failure_total", "temporal_workflow_failed_total",
		"temporal_activity_execution_failed_total", "temporal_workflow_task_execution_failed_total",
		"service_requests", "service_error_with_type",
	}
	for _, h := range histograms {
		all = append(all, h+"_bucket", h+"_count", h+"_sum")
	}
	return all
}

var (
	// noMetric is what is left out of an expression before its words are looked at: label selectors, grouping, texts, ranges.
	noMetric = regexp.MustCompile(`\{[^}]*\}|\b(?:by|without) \([^)]*\)|"[^"]*"|\[[^\]]*\]|\boffset \S+`)
	// word is not the name of a function, which a parenthesis follows.
	word     = regexp.MustCompile(`\b[a-z_][a-z0-9_]*\b(\s*\()?`)
	operator = []string{"or", "and", "unless", "le"}
)

// metrics: what the alerts and the dashboard look at is measured.
func metrics(d *deployment) (found []string) {
	for _, file := range []string{alertsFile, dashboardFile} {
		expressions := queries(d, file)
		if len(expressions) == 0 {
			found = append(found, file+": it looks at nothing")
		}
		for _, expression := range expressions {
			for _, name := range names(expression) {
				if !slices.Contains(measured(), name) {
					found = append(found, fmt.Sprintf("%s: nobody measures %s", path.Base(file), name))
				}
			}
			if regexp.MustCompile(`sum[^(]*(\([^)]*\) )?\(holdfast_tasks\{`).MatchString(expression) {
				found = append(found, path.Base(file)+": it adds up what every starter reports of the whole cluster")
			}
		}
	}
	return found
}

// names are the metrics of an expression.
func names(expression string) (all []string) {
	for _, m := range word.FindAllStringSubmatch(noMetric.ReplaceAllString(expression, " "), -1) {
		if m[1] == "" && !slices.Contains(operator, m[0]) {
			all = append(all, m[0])
		}
	}
	return all
}

// queries are the expressions of the alerts or of the dashboard.
func queries(d *deployment, file string) (all []string) {
	if file == dashboardFile {
		for _, p := range panels(d) {
			for _, target := range p.Targets {
				all = append(all, target.Expr)
			}
		}
		return all
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(d.read(file)), &rules); err != nil {
		d.t.Fatal(err)
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			all = append(all, rule.Expr)
		}
	}
	return all
}

var datasourceID = regexp.MustCompile(`"type": "prometheus",\s+"uid": "([^"]*)"`)

type panel struct {
	ID                       int
	Type, Title, Description string
	Targets                  []struct{ Expr string }
}

func panels(d *deployment) []panel {
	var board struct{ Panels []panel }
	if err := json.Unmarshal([]byte(d.read(dashboardFile)), &board); err != nil {
		d.t.Fatal(err)
	}
	return board.Panels
}

// dashboard: each panel says what it shows, and asks the datasource that there is.
func dashboard(d *deployment) (found []string) {
	datasource := d.read("deploy/grafana/provisioning/datasources/prometheus.yml")
	ids := map[int]bool{}
	for _, p := range panels(d) {
		if ids[p.ID] {
			found = append(found, fmt.Sprintf("twice the id %d", p.ID))
		}
		ids[p.ID] = true
		if p.Title == "" {
			found = append(found, "a panel without a title")
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" {
			found = append(found, p.Title+": no description")
		}
		if len(p.Targets) == 0 {
			found = append(found, p.Title+": it shows nothing")
		}
	}
	for _, asked := range datasourceID.FindAllStringSubmatch(d.read(dashboardFile), -1) {
		if !strings.Contains(datasource, "uid: "+asked[1]+" ") {
			found = append(found, "there is no datasource "+asked[1])
		}
	}
	return found
}
