package deploy

import (
	"net"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// usual are the ports of programs that need not be told.
func usual() map[string]string {
	return map[string]string{
		"postgres": "5432", "temporalio/server": "7233", "temporalio/ui": "8080", "prom/prometheus": "9090", "grafana/grafana": "3000",
	}
}

var (
	listenVariable = regexp.MustCompile(`_(ADDRESS|ENDPOINT)$`)
	siteAddress    = regexp.MustCompile(`(?m)^:(\d+) \{$`)
	upstream       = regexp.MustCompile(`(?m)^\s+(?:dynamic a|reverse_proxy) ([a-z-]+)[ :](\d+)`)
	serviceAddress = regexp.MustCompile(`(?m)(?:^|//|@)([a-z][a-z-]*):(\d+)(?:$|[/?])`)
	ownAddress     = regexp.MustCompile(`(?:localhost|127\.0\.0\.1):(\d+)`)
)

// listens are the ports on which a service can be reached from another container.
func (d *deployment) listens(s service) []string {
	image, _, _ := strings.Cut(s.Image, ":")
	if image == "caddy" {
		var ports []string
		for _, site := range siteAddress.FindAllStringSubmatch(d.read(proxyFile), -1) {
			ports = append(ports, site[1])
		}
		return ports
	}
	ports := []string{usual()[image]}
	for name, value := range s.Environment {
		host, port, err := net.SplitHostPort(value)
		if err == nil && listenVariable.MatchString(name) && (host == "" || host == "0.0.0.0") {
			ports = append(ports, port)
		}
	}
	return ports
}

// published: the proxy, the Web UI and Grafana, for this machine alone unless somebody says otherwise.
func published(p *problems, d *deployment, s service) {
	for _, port := range s.Ports {
		p.whenf(!slices.Contains([]string{"proxy", "temporal-ui", "grafana"}, p.service), "it is published")
		parts := strings.Split(expand(port), ":")
		if len(parts) != 3 {
			p.whenf(true, "%q has no address, port and port", port)
			continue
		}
		p.whenf(parts[0] != "127.0.0.1", "%q is for everybody", port)
		p.whenf(!slices.Contains(d.listens(s), parts[2]), "it does not listen on %s, which is published", parts[2])
		p.whenf(slices.Contains(s.Networks, "data") && len(s.Networks) == 1, "it is published from a network that has no way out")
	}
}

var browsed = regexp.MustCompile(`^http://127\.0\.0\.1:(\d+)$`)

// follows: who publishes something on another port has said enough, and browsers are sent there.
func follows(d *deployment) (found []string) {
	env := map[string]string{"PAGES_PORT": "18080", "UI_PORT": "18233", "CODEC_PORT": "18089", "GRAFANA_PORT": "13000"}
	var published []string
	for _, s := range d.compose.Services {
		for _, port := range s.Ports {
			published = append(published, strings.Split(expandWith(port, env), ":")[1])
		}
	}
	for name, s := range d.compose.Services {
		p := &problems{service: name}
		for variable, value := range s.Environment {
			if to := browsed.FindStringSubmatch(expandWith(value, env)); to != nil {
				p.whenf(!slices.Contains(published, to[1]), "%s: nothing is published on %s, where another port is set", variable, to[1])
			}
		}
		found = append(found, p.found...)
	}
	return found
}

// addresses: who is named in an environment variable or a health check is there, and listens.
func addresses(p *problems, d *deployment, s service) {
	for name, value := range s.Environment {
		for _, found := range serviceAddress.FindAllStringSubmatch(expand(value), -1) {
			p.reaches(d, name, found[1], found[2])
		}
	}
	if s.Healthcheck == nil {
		return
	}
	for _, argument := range s.Healthcheck.Test {
		for _, found := range ownAddress.FindAllStringSubmatch(argument, -1) {
			p.whenf(!slices.Contains(d.listens(s), found[1]), "it does not listen on %s, where its health check asks", found[1])
		}
	}
}

// reaches: the service is there, listens, and shares a network with the one that asks.
func (p *problems) reaches(d *deployment, what, name, port string) {
	other, ok := d.compose.Services[name]
	p.whenf(!ok, "%s: there is no service %s", what, name)
	p.whenf(ok && !slices.Contains(d.listens(other), port), "%s: %s does not listen on %s", what, name, port)
	asking, isService := d.compose.Services[p.service]
	p.whenf(ok && isService && !share(asking, other), "%s: %s is in another network", what, name)
}

func share(a, b service) bool {
	return slices.ContainsFunc(networks(a), func(n string) bool { return slices.Contains(networks(b), n) })
}

func networks(s service) []string {
	if len(s.Networks) == 0 {
		return []string{"default"}
	}
	return s.Networks
}

// health: what goes on running is asked for its health, or `up --wait` would end before it works. A program of ours is asked at the address
// that it is given; the codec server has no operator listener.
func health(p *problems, _ *deployment, s service) {
	p.whenf(!s.oneShot() && s.Healthcheck == nil, "it has no health check")
	if !s.ours() {
		return
	}
	p.whenf(s.Healthcheck == nil || !slices.Equal(s.Healthcheck.Test, []string{"CMD", "/holdfast", "health", p.service}),
		"it is not asked for its health")
	p.whenf(!slices.Equal(s.Command, []string{p.service}), "its command is not %s", p.service)
	if p.service == "codec" {
		p.whenf(s.Environment["HOLDFAST_CODEC_ADDRESS"] == "", "its address is not set")
		return
	}
	p.whenf(s.Environment["HOLDFAST_"+strings.ToUpper(p.service)+"_OPERATOR_ADDRESS"] == "", "its operator address is not set")
}

// proxied: the proxy's upstreams are there, and those whom it needs to begin with are waited for.
func proxied(d *deployment) []string {
	p := &problems{service: "proxy"}
	found := upstream.FindAllStringSubmatch(d.read(proxyFile), -1)
	p.whenf(len(found) != 2, "it has %d upstreams", len(found))
	for _, u := range found {
		p.reaches(d, proxyFile, u[1], u[2])
		_, waits := d.compose.Services["proxy"].DependsOn[u[1]]
		p.whenf(!waits, "it does not wait for %s", u[1])
	}
	text := uncommented(d.read(proxyFile))
	sees := strings.Contains(text, "fail_duration ") && strings.Contains(text, "unhealthy_status 503")
	blind := strings.Contains(text, "lb_policy least_conn") && !sees
	p.whenf(blind, "a starter that refuses or answers 503 has the fewest connections and gets every new one")
	return p.found
}

// scraped: what Prometheus asks is there and kept for a time, and Grafana asks Prometheus.
func scraped(d *deployment) []string {
	p := &problems{service: "prometheus"}
	var c struct {
		Storage struct {
			TSDB struct{ Retention struct{ Time string } }
		}
		Jobs []struct {
			DNS []struct {
				Names []string
				Port  string
			} `yaml:"dns_sd_configs"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(d.read("deploy/prometheus/prometheus.yml")), &c); err != nil {
		return []string{err.Error()}
	}
	p.whenf(len(c.Jobs) == 0, "it asks nobody")
	p.whenf(c.Storage.TSDB.Retention.Time == "", "it is not told how long to keep numbers") // the flag is deprecated
	for _, job := range c.Jobs {
		for _, dns := range job.DNS {
			for _, name := range dns.Names {
				p.reaches(d, "a target", name, dns.Port)
			}
		}
		for _, static := range job.Static {
			for _, target := range static.Targets {
				name, port, _ := strings.Cut(target, ":")
				p.reaches(d, "a target", name, port)
			}
		}
	}
	p.service = "grafana"
	for _, found := range serviceAddress.FindAllStringSubmatch(d.read("deploy/grafana/provisioning/datasources/prometheus.yml"), -1) {
		p.reaches(d, "the datasource", found[1], found[2])
	}
	return p.found
}
