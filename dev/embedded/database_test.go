package embedded_test

import (
	"bufio"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

// startWaiting starts a workflow that waits for release.
func startWaiting(t testing.TB, s *embedded.Server) {
	t.Helper()
	_, err := dial(t, s).ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "id", TaskQueue: queue}, wait)
	require.NoError(t, err)
}

func release(t testing.TB, s *embedded.Server) {
	t.Helper()
	c := dial(t, s)
	work(t, c)
	require.NoError(t, c.SignalWorkflow(t.Context(), "id", "", "go", nil))
	require.NoError(t, c.GetWorkflow(t.Context(), "id", "").Get(t.Context(), nil))
}

func TestAWorkflowOutlivesTheServerOfAFile(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "new", "temporal.db")}
	first := start(t, o)
	startWaiting(t, first)
	first.Stop()
	release(t, start(t, o))
}

// The variable that tells a test that it is the process to be killed, and on which database.
const victimDatabase = "HOLDFAST_TEST_VICTIM_DATABASE"

func TestAWorkflowAndTheLockWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	if file := os.Getenv(victimDatabase); file != "" {
		startWaiting(t, start(t, embedded.Options{Database: file}))
		_, _ = os.Stdout.WriteString("ready\n")
		select {}
	}
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	victim := runVictim(t, o.Database)
	_, err := embedded.Start(t.Context(), o)
	require.ErrorIs(t, err, embedded.ErrInUse)
	require.NoError(t, victim.Process.Kill())
	require.Error(t, victim.Wait())
	release(t, start(t, o))
}

// runVictim runs this test again as a process of its own, and returns when that is ready to be killed.
func runVictim(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), victimDatabase+"="+file)
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		t.Log(lines.Text())
	}
	require.Equal(t, "ready", lines.Text())
	return victim
}

func TestASecondServerOnOneFileIsRefused(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	start(t, o)
	_, err := embedded.Start(t.Context(), o)
	require.ErrorIs(t, err, embedded.ErrInUse)
	require.ErrorContains(t, err, o.Database)
}

func TestAFileThatWasRemovedIsMadeAfresh(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	start(t, o).Stop()
	files, err := filepath.Glob(o.Database + "*")
	require.NoError(t, err)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	runs(t, start(t, o), client.StartWorkflowOptions{})
	require.FileExists(t, o.Database)
}

func TestAPathMayHaveWhatAURIMayNot(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "50%25 ü#?&=.db")}
	start(t, o).Stop()
	require.FileExists(t, o.Database)
}

func TestTheFileHasAWriteAheadLog(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	start(t, o)
	require.FileExists(t, o.Database+"-wal")
	require.Equal(t, "wal", query(t, o.Database, "PRAGMA journal_mode"))
}

func query(t *testing.T, file, statement string) (answer string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.QueryRowContext(t.Context(), statement).Scan(&answer))
	return answer
}

func execute(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func TestAnEmptyFileBecomesADatabase(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	require.NoError(t, os.WriteFile(o.Database, nil, 0o600))
	start(t, o)
}

func TestAnotherFileIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*testing.T, string){
		"Text": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("No database.\n", 1000)), 0o600))
		},
		"AnotherProgram": func(t *testing.T, file string) { execute(t, file, "CREATE TABLE a (b)") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := embedded.Options{Database: filepath.Join(t.TempDir(), "file")}
			write(t, o.Database)
			before, err := os.ReadFile(o.Database)
			require.NoError(t, err)
			_, err = embedded.Start(t.Context(), o)
			require.ErrorIs(t, err, embedded.ErrDatabase)
			require.ErrorContains(t, err, o.Database)
			after, err := os.ReadFile(o.Database)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestADirectoryIsNoDatabase(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dir")
	require.NoError(t, os.Mkdir(dir, 0o700))
	_, err := embedded.Start(t.Context(), embedded.Options{Database: dir})
	require.ErrorIs(t, err, embedded.ErrDatabase)
	require.ErrorContains(t, err, dir)
}

func TestTheSchemaOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ statement, says string }{
		"Older": {"ALTER TABLE namespaces DROP COLUMN is_global", "lacks namespaces.is_global"},
		"Newer": {"ALTER TABLE namespaces ADD COLUMN colour TEXT", "has namespaces.colour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
			start(t, o).Stop()
			execute(t, o.Database, change.statement)
			_, err := embedded.Start(t.Context(), o)
			require.ErrorIs(t, err, embedded.ErrDatabase)
			require.ErrorContains(t, err, o.Database)
			require.ErrorContains(t, err, change.says)
		})
	}
}

func TestSearchAttributesAreAddedToAnOldFileToo(t *testing.T) {
	t.Parallel()
	o := embedded.Options{Database: filepath.Join(t.TempDir(), "temporal.db")}
	o.SearchAttributes = map[string]enums.IndexedValueType{"First": enums.INDEXED_VALUE_TYPE_KEYWORD}
	start(t, o).Stop()
	o.SearchAttributes["Second"] = enums.INDEXED_VALUE_TYPE_KEYWORD
	s := start(t, o)
	runs(t, s, client.StartWorkflowOptions{TypedSearchAttributes: temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword("First").ValueSet("1"),
		temporal.NewSearchAttributeKeyKeyword("Second").ValueSet("2"),
	)})
	s.Stop()
	o.SearchAttributes["First"] = enums.INDEXED_VALUE_TYPE_INT
	_, err := embedded.Start(context.Background(), o)
	require.ErrorContains(t, err, "First is of type Keyword already, it cannot become Int")
}
