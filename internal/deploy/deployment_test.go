package deploy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	composeFile = "docker-compose.yml"
	envFile     = ".env.example"
	proxyFile   = "deploy/proxy/Caddyfile"
)

// deployment is the tree with, for a test that a check can fail, another text in one of its files.
type deployment struct {
	t       *testing.T
	edited  map[string]string
	compose compose
}

// compose is what we use of the format. A key that is not here is refused, so that a misspelt one is.
type compose struct {
	Name     string
	Services map[string]service
	Networks map[string]any
	Volumes  map[string]any
	Others   map[string]any `yaml:",inline"` // x-…
}

type service struct {
	Image           string
	PullPolicy      string `yaml:"pull_policy"`
	Build           *build
	Entrypoint      []string
	Command         []string
	Environment     map[string]string
	User            string
	Ports           []string
	Volumes         []string
	Tmpfs           []string
	Networks        []string
	Profiles        []string
	DependsOn       map[string]dependency `yaml:"depends_on"`
	Healthcheck     *healthcheck
	Deploy          struct{ Replicas string }
	Restart         string
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	CapAdd          []string `yaml:"cap_add"`
	SecurityOpt     []string `yaml:"security_opt"`
	ShmSize         string   `yaml:"shm_size"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Logging         struct {
		Driver  string
		Options map[string]string
	}
}

type build struct {
	Context string
	Args    map[string]string
}

type dependency struct{ Condition string }

type healthcheck struct {
	Test        []string
	Interval    string
	Timeout     string
	Retries     int
	StartPeriod string `yaml:"start_period"`
}

// edit is a mistake: in the file, one text in the place of another.
type edit struct{ file, old, new string }

func load(t *testing.T, edits ...edit) *deployment {
	t.Helper()
	d := &deployment{t: t, edited: map[string]string{}}
	for _, e := range edits {
		text := d.read(e.file)
		require.True(t, strings.Contains(text, e.old), "%s no longer has what this test spoils: %s", e.file, e.old) //nolint:testifylint // it would print the file
		d.edited[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(d.read(composeFile))))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&d.compose))
	require.NotEmpty(t, d.compose.Services)
	return d
}

// at is where a file of the tree is.
func at(name string) string { return filepath.Join("..", "..", filepath.FromSlash(name)) }

func (d *deployment) read(name string) string {
	d.t.Helper()
	if text, ok := d.edited[name]; ok {
		return text
	}
	text, err := os.ReadFile(at(name))
	require.NoError(d.t, err)
	return string(text)
}

// ours reports a program of this tree.
func (s service) ours() bool { return strings.HasPrefix(s.Image, "${IMAGE:") }

// oneShot reports a service that does its work and ends.
func (s service) oneShot() bool { return strings.HasPrefix(s.Restart, "on-failure") }

// environ is the environment of the container in the form of os.Environ.
func (s service) environ() []string {
	var all []string
	for name, value := range s.Environment {
		all = append(all, name+"="+expand(value))
	}
	return all
}
