package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/config"
)

func TestScriptsAreShell(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(at("deploy/*/*.sh"))
	require.NoError(t, err)
	require.Len(t, scripts, 2)
	for _, script := range append(scripts, at("deploy/env.sh")) {
		out, err := exec.Command("sh", "-n", script).CombinedOutput()
		require.NoError(t, err, "%s: %s", script, out)
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		require.Contains(t, string(text), "\nset -eu\n", "%s: it goes on after an error", script)
	}
}

// shell runs a script of the tree in a directory, with programs of its own before those of the system.
func shell(t *testing.T, dir, script string, environ ...string) (string, error) {
	t.Helper()
	absolute, err := filepath.Abs(script)
	require.NoError(t, err)
	command := exec.Command("sh", absolute)
	command.Dir = dir
	command.Env = append([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}, environ...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o700))
}

// copyOf makes a tree with what env.sh needs, and an openssl that gives something else each time.
func copyOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	d := load(t)
	write(t, filepath.Join(dir, envFile), d.read(envFile))
	write(t, filepath.Join(dir, "deploy", "env.sh"), d.read("deploy/env.sh"))
	write(t, filepath.Join(dir, "openssl"), `#!/bin/sh
echo more >>calls
case $2 in
-hex) printf '%064d\n' "$(wc -l <calls)" ;;
-base64) echo MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= ;;
esac
`)
	return dir
}

func TestEnvIsWrittenWithFreshSecrets(t *testing.T) {
	t.Parallel()
	dir := copyOf(t)
	out, err := shell(t, dir, filepath.Join(dir, "deploy", "env.sh"))
	require.NoError(t, err, out)
	written, err := os.ReadFile(filepath.Join(dir, ".env"))
	require.NoError(t, err)
	example := strings.Split(load(t).read(envFile), "\n")
	seen := map[string]bool{}
	for i, line := range strings.Split(string(written), "\n") {
		name, value, isSetting := strings.Cut(line, "=")
		if strings.HasPrefix(line, "#") || !isSetting {
			require.Equal(t, example[i], line)
			continue
		}
		require.Equal(t, example[i], name+"=")
		require.GreaterOrEqual(t, len(value), 32, name)
		require.False(t, seen[value], "%s is the same as another one", name)
		seen[value] = true
	}
	require.NotEmpty(t, seen)
	require.Regexp(t, `(?m)^HOLDFAST_TEMPORAL_ENCRYPTION_KEYS=[0-9-]+:[A-Za-z0-9+/]+=$`, string(written))

	info, err := os.Stat(filepath.Join(dir, ".env"))
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "others can read the secrets")
}

// TestNoEnvIsWrittenWithoutItsSecrets: not even half of one, whichever of them fails.
func TestNoEnvIsWrittenWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	for name, openssl := range map[string]string{
		"none": "exit 1\n", "no key": "[ $2 != -base64 ] && echo 0123456789abcdef\n", "the third": "echo more >>calls; [ $(wc -l <calls) -lt 3 ] && echo 0123\n",
		"nothing is said": "exit 0\n", "half of it is said": "echo 0123; exit 1\n",
	} {
		dir := copyOf(t)
		write(t, filepath.Join(dir, "openssl"), "#!/bin/sh\n"+openssl)
		out, err := shell(t, dir, filepath.Join(dir, "deploy", "env.sh"))
		require.Error(t, err, name)
		require.NotContains(t, out, ".env is written", name)
		for _, file := range []string{".env", ".env.new"} {
			require.NoFileExists(t, filepath.Join(dir, file), name)
		}
	}
}

func TestAnEnvThatIsThereIsNeverTouched(t *testing.T) {
	t.Parallel()
	dir := copyOf(t)
	write(t, filepath.Join(dir, ".env"), "mine")
	out, err := shell(t, dir, filepath.Join(dir, "deploy", "env.sh"))
	require.Error(t, err)
	require.Contains(t, out, "there is a .env already")
	kept, err := os.ReadFile(filepath.Join(dir, ".env"))
	require.NoError(t, err)
	require.Equal(t, "mine", string(kept))
}

// temporal is a stand-in that keeps a namespace and attributes as files, fails at first, and lists an attribute only the second time.
const temporal = `#!/bin/sh
echo "$*" >>calls
case "$1 $2 $3" in
"operator cluster health") [ -e awake ] || { touch awake; echo not yet; exit 1; } ;;
"operator namespace describe") [ -e namespace ] || { echo no such namespace; exit 1; } ;;
"operator namespace create") touch namespace ;;
"operator namespace update") [ ! -e stubborn ] || { rm stubborn; echo not now; exit 1; } ;;
"operator search-attribute list") [ ! -e attributes ] || sed 's/$/ Keyword/' attributes; [ ! -e new ] || cat new >>attributes; rm -f new ;;
"operator search-attribute create") echo "$7" >>new ;;
*) echo "what is $*?"; exit 1 ;;
esac
`

func TestNamespaceIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "temporal"), temporal)
	environ := []string{"TEMPORAL_ADDRESS=temporal:7233", "TEMPORAL_NAMESPACE=holdfast", "PAUSE=0"}
	script := at("deploy/temporal/namespace.sh")

	out, err := shell(t, dir, script, environ...)
	require.NoError(t, err, out)
	calls := func() string {
		text, err := os.ReadFile(filepath.Join(dir, "calls"))
		require.NoError(t, err)
		return string(text)
	}
	require.Contains(t, calls(), "operator namespace create --namespace holdfast --retention 168h\n")
	require.NotContains(t, calls(), "update")
	for _, attribute := range []string{"HoldfastApp", "HoldfastTask", "HoldfastSession"} {
		require.Contains(t, calls(), "operator search-attribute create --namespace holdfast --name "+attribute+" --type Keyword\n")
		require.Contains(t, out, "search attribute "+attribute+": there\n")
	}

	require.NoError(t, os.Remove(filepath.Join(dir, "calls")))
	write(t, filepath.Join(dir, "stubborn"), "") // the first update fails
	out, err = shell(t, dir, script, append(environ, "RETENTION=24h")...)
	require.NoError(t, err, out)
	require.NotContains(t, calls(), "create", "the second time all is there")
	require.Equal(t, 2, strings.Count(calls(), "operator namespace update --namespace holdfast --retention 24h\n"))
}

func TestNamespaceGivesUpWithTheReason(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "temporal"), "#!/bin/sh\necho connection refused >&2\nexit 1\n")
	out, err := shell(t, dir, at("deploy/temporal/namespace.sh"), "TEMPORAL_ADDRESS=temporal:7233", "TEMPORAL_NAMESPACE=holdfast", "PAUSE=0", "ATTEMPTS=2")
	require.Error(t, err)
	require.Contains(t, out, "gave up waiting for Temporal at temporal:7233: connection refused")
}

// TestSchemaKeepsThePasswordOutOfArguments: and stops at the first failure.
func TestSchemaKeepsThePasswordOutOfArguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "temporal-sql-tool"), "#!/bin/sh\necho \"$*\" >>calls\n[ \"$SQL_PASSWORD\" = "+sample+" ]\n")
	environ := []string{"SQL_HOST=postgresql", "SQL_USER=temporal", "SQL_PASSWORD=" + sample}
	out, err := shell(t, dir, at("deploy/temporal/schema.sh"), environ...)
	require.NoError(t, err, out)
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	require.NoError(t, err)
	require.NotContains(t, string(calls), sample)
	const schemas = "/etc/temporal/schema/postgresql/v12/"
	require.Equal(t, []string{
		"--db temporal setup-schema -v 0.0", "--db temporal update-schema -d " + schemas + "temporal/versioned",
		"--db temporal_visibility setup-schema -v 0.0", "--db temporal_visibility update-schema -d " + schemas + "visibility/versioned",
	}, strings.Split(strings.TrimSpace(string(calls)), "\n"))

	_, err = shell(t, dir, at("deploy/temporal/schema.sh"), append(environ, "SQL_PASSWORD=wrong")...)
	require.Error(t, err)
	out, err = shell(t, dir, at("deploy/temporal/schema.sh"), "SQL_HOST=postgresql", "SQL_USER=temporal")
	require.Error(t, err)
	require.Contains(t, out, "SQL_PASSWORD")
}

// TestDatabasesFitTheirUsers: who connects as whom, and to what, stands in three files.
func TestDatabasesFitTheirUsers(t *testing.T) {
	t.Parallel()
	d := load(t)
	sql := d.read("deploy/postgresql/databases.sql")
	for _, user := range []string{"temporal", "holdfast"} {
		require.Contains(t, sql, "CREATE ROLE "+user+" LOGIN PASSWORD :'"+user+"_password';")
	}
	for database, owner := range map[string]string{"temporal": "temporal", "temporal_visibility": "temporal", "holdfast": "holdfast"} {
		require.Contains(t, sql, "CREATE DATABASE "+database+" OWNER "+owner+";")
	}
	saved := strings.Count(d.read("deploy/README.md"), "\nfor db in holdfast temporal temporal_visibility; do\n")
	require.Equal(t, 2, saved, "all databases are saved and restored")
	require.Equal(t, 3, strings.Count(sql, "CREATE DATABASE "))
	for _, found := range regexp.MustCompile(`\\getenv \w+ (\w+)`).FindAllStringSubmatch(sql, -1) {
		require.Contains(t, d.compose.Services["postgresql"].Environment, found[1])
	}
	c, err := config.Load(config.Source{Environ: []string{
		"HOLDFAST_STATE_URL=" + expand(d.compose.Services["worker"].Environment["HOLDFAST_STATE_URL"]),
	}, Dir: t.TempDir()})
	require.NoError(t, err)
	require.Equal(t, "postgres://holdfast:"+sample+"@postgresql:5432/holdfast?sslmode=disable", c.State.URL)
}
