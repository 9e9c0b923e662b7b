package deploy

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-run/holdfast/config"
)

// A check returns what is wrong, a sentence each.
type check func(d *deployment) []string

// problems gathers what is wrong with a service.
type problems struct {
	service string
	found   []string
}

func (p *problems) whenf(wrong bool, format string, args ...any) {
	if wrong {
		p.found = append(p.found, p.service+": "+fmt.Sprintf(format, args...))
	}
}

// each makes a check of all services from one of a service.
func each(look func(p *problems, d *deployment, s service)) check {
	return func(d *deployment) []string {
		p := &problems{}
		for name, s := range d.compose.Services {
			p.service = name
			look(p, d, s)
		}
		return p.found
	}
}

// files: what is mounted and what is built from is there.
func files(p *problems, d *deployment, s service) {
	for _, volume := range s.Volumes {
		source, target, _ := strings.Cut(volume, ":")
		if !strings.HasPrefix(source, ".") {
			_, declared := d.compose.Volumes[source]
			p.whenf(!declared, "there is no volume %s", source)
			continue
		}
		_, err := os.Stat(at(source))
		p.whenf(err != nil, "there is no file %s", source)
		p.whenf(!strings.HasSuffix(target, ":ro"), "%s could be written by the container", source)
	}
	if s.Build != nil {
		_, err := os.Stat(at(s.Build.Context + "/Dockerfile"))
		p.whenf(err != nil, "there is no Dockerfile in %s", s.Build.Context)
	}
	for _, network := range s.Networks {
		_, declared := d.compose.Networks[network]
		p.whenf(!declared, "there is no network %s", network)
	}
}

// reread: what a server reads again while it runs is not mounted as a file. That would stay the file which it was at the start, for editors
// and git put a new one in its place.
func reread(p *problems, _ *deployment, s service) {
	name := s.Environment["DYNAMIC_CONFIG_FILE_PATH"]
	p.whenf(name == "" && strings.HasPrefix(s.Image, "temporalio/server:"), "it has no dynamic config")
	if name == "" {
		return
	}
	for _, volume := range s.Volumes {
		source, target, _ := strings.Cut(strings.TrimSuffix(volume, ":ro"), ":")
		p.whenf(target == name, "%s is a file of its own, and its changes are not seen", source)
		if target == path.Dir(name) {
			_, err := os.Stat(at(path.Join(source, path.Base(name))))
			p.whenf(err != nil, "there is no %s in %s", path.Base(name), source)
			return
		}
	}
	p.whenf(true, "nothing is mounted where %s is", name)
}

var version = regexp.MustCompile(`^v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)

// images: each is of one version, so that tomorrow it is the same.
func images(p *problems, _ *deployment, s service) {
	if s.ours() {
		return
	}
	_, tag, _ := strings.Cut(s.Image, ":")
	p.whenf(!version.MatchString(tag), "the image %q has no version", s.Image)
}

// tested: Temporal's server, tools and Web UI are those with which the tests run.
func tested(p *problems, d *deployment, s service) {
	name, tag, _ := strings.Cut(s.Image, ":")
	modules := map[string]string{
		"temporalio/server": "go.temporal.io/server", "temporalio/admin-tools": "go.temporal.io/server", "temporalio/ui": "github.com/temporalio/ui-server/v2",
	}
	module, ours := modules[name]
	p.whenf(!ours && strings.HasPrefix(name, "temporalio/"), "this test does not know which module %s is", name)
	if !ours {
		return
	}
	required := regexp.MustCompile(`(?m)^\s+(` + regexp.QuoteMeta(module) + ` v(\S+))`).FindStringSubmatch(d.read("dev/go.mod"))
	p.whenf(required == nil, "dev/go.mod has no %s", module)
	if required != nil {
		p.whenf(required[2] != tag, "it is %s; dev/go.mod has %s", s.Image, required[1])
	}
}

// built: our image is built once, for two builds that end with the same tag at the same time fail, and comes from nowhere else.
func built(d *deployment) (found []string) {
	builders := 0
	for name, s := range d.compose.Services {
		p := &problems{service: name}
		p.whenf(s.ours() && s.PullPolicy != "never", "its image would be asked for in a registry")
		p.whenf(s.Build != nil && !s.ours(), "what it builds is not our image")
		p.whenf(s.Build != nil && len(s.Profiles) > 0, "it builds the image and is not always started")
		found = append(found, p.found...)
		if s.Build != nil {
			builders++
		}
	}
	if builders != 1 {
		found = append(found, fmt.Sprintf("%d services build our image", builders))
	}
	return found
}

// settingNames: config knows each.
func settingNames(p *problems, _ *deployment, s service) {
	for name := range s.Environment {
		if !strings.HasPrefix(name, "HOLDFAST_") {
			continue
		}
		p.whenf(!s.ours(), "%s is not for it", name)
		p.whenf(!isKey(name), "there is no setting %s", name)
	}
}

func isKey(env string) bool {
	return slices.ContainsFunc(config.Keys(), func(k config.Key) bool { return k.Env() == env })
}

// settingValues: the program starts with them.
func settingValues(p *problems, d *deployment, s service) {
	known := slices.DeleteFunc(s.environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !isKey(name) // settingNames tells of it
	})
	_, err := config.Load(config.Source{Environ: known, Dir: d.t.TempDir()})
	p.whenf(err != nil, "%v", err)
}

// order: what is waited for exists and can come about.
func order(p *problems, d *deployment, s service) {
	for name, dependency := range s.DependsOn {
		other, ok := d.compose.Services[name]
		p.whenf(!ok, "there is no service %s to wait for", name)
		p.whenf(ok && len(s.Profiles) == 0 && len(other.Profiles) > 0, "%s, which it waits for, is not always started", name)
		switch dependency.Condition {
		case "service_healthy":
			p.whenf(ok && other.Healthcheck == nil, "%s has no health check to wait for", name)
		case "service_completed_successfully":
			p.whenf(ok && !other.oneShot(), "%s never ends", name)
		case "service_started":
			p.whenf(ok && other.Healthcheck != nil, "%s could be waited for until it is healthy", name)
		default:
			p.whenf(true, "%q is not a condition", dependency.Condition)
		}
	}
	p.whenf(s.oneShot() && !d.awaited(p.service), "nobody waits for its end, so that `up --wait` takes its end for a failure")
}

func (d *deployment) awaited(name string) bool {
	for _, s := range d.compose.Services {
		if s.DependsOn[name].Condition == "service_completed_successfully" {
			return true
		}
	}
	return false
}

// running: it comes back after a crash, its logs end somewhere, and it gets no rights that it does not need.
func running(p *problems, _ *deployment, s service) {
	p.whenf(!s.oneShot() && s.Restart != "unless-stopped", "it does not come back after a crash")
	p.whenf(s.Logging.Options["max-size"] == "", "its logs grow without end")
	p.whenf(!slices.Contains(s.SecurityOpt, "no-new-privileges:true"), "it could get new privileges")
	p.whenf(s.ours() && !s.ReadOnly, "its files could be written")
	p.whenf(s.ours() && !slices.Contains(s.CapDrop, "ALL"), "it has capabilities")
	p.whenf(s.ours() && len(s.CapAdd) > 0, "it has capabilities")
	p.whenf(s.ours() && s.User != "", "its user is that of the image")
}

// secrets: none is in an argument, which everybody on the machine can read, nor in the file itself.
func secrets(p *problems, _ *deployment, s service) {
	arguments := slices.Concat(s.Entrypoint, s.Command)
	if s.Healthcheck != nil {
		arguments = append(arguments, s.Healthcheck.Test...)
	}
	for _, argument := range arguments {
		p.whenf(strings.Contains(argument, "$"), "the argument %q could hold a secret", argument)
	}
	for name, value := range s.Environment {
		secret := regexp.MustCompile(`(PASSWORD|PWD|TOKEN|_KEY|_KEYS)$`).MatchString(name)
		p.whenf(secret && !strings.Contains(value, ":?"), "%s is not required", name)
	}
}

// stopping: the worker has its time before it is killed.
func stopping(p *problems, _ *deployment, s service) {
	timeout := s.Environment["HOLDFAST_WORKER_STOP_TIMEOUT"]
	if timeout == "" {
		p.whenf(len(s.Command) == 1 && s.Command[0] == "worker", "HOLDFAST_WORKER_STOP_TIMEOUT is not set")
		return
	}
	asked, err := time.ParseDuration(timeout)
	p.whenf(err != nil, "%v", err)
	given, err := time.ParseDuration(s.StopGracePeriod)
	p.whenf(err != nil, "stop_grace_period: %v", err)
	p.whenf(given <= asked, "it is killed after %s, before its %s are over", given, asked)
}
