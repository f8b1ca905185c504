package chaos

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// scratch holds the data of a run; logs outlives it when a test fails.
var scratch, logs string

// TestMain is also the main of the children: a NATS node or a bridge is this binary, called again.
func TestMain(m *testing.M) {
	if role, settings := os.Getenv(roleVariable), os.Getenv(settingsVariable); role != "" {
		os.Exit(beChild(role, settings))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) (code int) {
	// The tests wait for most of their time; by default only as many run at once as there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var err error
	if scratch, err = os.MkdirTemp("", "argo-bridge-chaos"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	logs = filepath.Join(scratch, "logs")
	defer func() { cleanUp(code) }()
	return m.Run()
}

// cleanUp ends the cluster and removes all but the logs of a failed run, or of one whose logs are wanted.
func cleanUp(code int) {
	downCluster()
	if code != 0 || os.Getenv("CHAOS_KEEP_LOGS") != "" {
		kept := scratch + "-logs"
		if os.Rename(logs, kept) == nil {
			fmt.Fprintf(os.Stderr, "the logs of all processes are in %s\n", kept)
		}
	}
	_ = os.RemoveAll(scratch)
}

var began = time.Now()

// say shows a line at once: t.Log would keep it until the end.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "chaos %6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}
