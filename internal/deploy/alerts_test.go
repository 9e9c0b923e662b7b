package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const alertsFile = "deploy/prometheus/alerts.yml"

// promtool is Prometheus's own tester of rules. Where it is missing the test is skipped, or fails where all must run.
func promtool(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err == nil {
		return program
	}
	const sentence = "this test needs promtool: install the package prometheus (apt-get install prometheus)"
	if os.Getenv("HOLDFAST_TEST_REQUIRE") != "" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
	return ""
}

// TestAlertsSayWhatTheyShould tries them on made-up numbers.
func TestAlertsSayWhatTheyShould(t *testing.T) {
	t.Parallel()
	command := exec.Command(promtool(t), "test", "rules", "alerts_test.yml")
	command.Dir = at(path.Dir(alertsFile))
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}

// TestAlertsThatNeedNoTimeAreTried: an alert of a counter that is not tried could be one that never fires.
func TestAlertsThatNeedNoTimeAreTried(t *testing.T) {
	t.Parallel()
	d := load(t)
	tried := d.read(filepath.ToSlash(filepath.Join(path.Dir(alertsFile), "alerts_test.yml")))
	for _, rule := range strings.Split(d.read(alertsFile), "- alert: ")[1:] {
		name, _, _ := strings.Cut(rule, "\n")
		if strings.Contains(rule, "increase(") {
			require.Contains(t, tried, "alertname: "+name)
		}
	}
}

var increase = regexp.MustCompile(`increase\(([a-z_]+(?:\{[^}]*\})?)\[([^\]]+)\]\)`)

// firsts: where an increase is looked for, a counter that is new counts too. It begins at 1 and not at 0, so that it has no increase yet.
func firsts(d *deployment) (found []string) {
	for _, file := range []string{alertsFile, dashboardFile} {
		for _, expression := range queries(d, file) {
			for _, grown := range increase.FindAllStringSubmatch(expression, -1) {
				want := fmt.Sprintf("(%s unless %s offset %s) or %s", grown[1], grown[1], grown[2], grown[0])
				if !strings.Contains(expression, want) {
					found = append(found, path.Base(file)+": it misses the first one of "+grown[1])
				}
			}
		}
	}
	return found
}
