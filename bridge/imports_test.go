package bridge_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/argo-bridge/argo-bridge/"

// The import table: which of the project's packages a package may import, and which vendor's modules
// belong to one package alone. What is not listed may import bridge only.
var (
	mayImport = map[string][]string{
		"adapters/cloudevents":    {"bridge", "bridge/intake"},
		"adapters/gcs":            {"bridge", "bridge/intake"},
		"adapters/gcs/setup":      {"bridge", "adapters/gcs"},
		"adapters/github":         {"bridge", "bridge/intake"},
		"adapters/github/api":     {"bridge", "adapters/github"},
		"adapters/github/checks":  {"bridge", "adapters/github"},
		"adapters/github/setup":   {"bridge", "adapters/github"},
		"adapters/github/sweep":   {"bridge", "adapters/github"},
		"adapters/nats":           {"bridge", "bridge/announce"},
		"adapters/slack":          {"bridge", "adapters/slack/message", "bridge/intake", "bridge/spelling"},
		"adapters/slack/alerts":   {"bridge", "adapters/slack", "adapters/slack/message"},
		"adapters/slack/desk":     {"bridge", "adapters/slack", "adapters/slack/message", "bridge/mask", "bridge/spelling"},
		"adapters/slack/message":  {"bridge", "bridge/mask"},
		"adapters/slack/picture":  {},
		"adapters/slack/progress": {"bridge", "adapters/slack", "adapters/slack/message"},
		"adapters/slack/setup":    {"bridge", "adapters/slack"},
		"adapters/webhook":        {"bridge", "bridge/announce"},
		"bridge":                  {},
		"bridge/admin":            {"bridge"},
		"bridge/admin/client":     {"bridge", "bridge/admin"},
		"bridge/announce":         {"bridge", "bridge/mask"},
		"bridge/app":              {"*"},
		"bridge/dispatch":         {"bridge", "bridge/bus", "bridge/expression", "bridge/inflight", "bridge/mapping", "bridge/match", "bridge/waiting"},
		"bridge/expression":       {"bridge", "bridge/spelling"},
		"bridge/history":          {"bridge", "bridge/bus", "bridge/dispatch", "bridge/ledger", "bridge/notify", "bridge/waiting"},
		"bridge/inflight":         {"bridge", "bridge/submit"},
		"bridge/layout":           {"bridge/expression", "bridge/mask"},
		"bridge/ledger":           {"bridge", "bridge/bus"},
		"bridge/logs":             {"bridge", "bridge/mask"},
		"bridge/mapping":          {"bridge", "bridge/expression"},
		"bridge/mask":             {},
		"bridge/match":            {"bridge"},
		"bridge/notify":           {"bridge", "bridge/bus"},
		"bridge/operate":          {"bridge", "bridge/submit", "bridge/watch"},
		"bridge/orders":           {"bridge", "bridge/bus", "bridge/expression", "bridge/mapping"},
		"bridge/silences":         {"bridge", "bridge/bus"},
		"bridge/threads":          {"bridge", "bridge/bus"},
		"bridge/waiting":          {"bridge", "bridge/bus"},
		"bridge/watch":            {"bridge", "bridge/submit"},
		"cmd/argo-bridge":         {"*"},
		"cmd/demo":                {"*"},
		"workflowtemplates":       {"bridge", "bridge/expression", "bridge/mapping", "bridge/match"},
	}
	owned = map[string]string{
		"github.com/nats-io/":                      "bridge/bus",
		"github.com/expr-lang/expr":                "bridge/expression",
		"github.com/google/go-github/":             "adapters/github",
		"github.com/bradleyfalzon/ghinstallation/": "adapters/github",
		"cloud.google.com/go/pubsub":               "adapters/gcs",
		"cloud.google.com/go/storage":              "adapters/gcs",
		"cloud.google.com/go/iam":                  "adapters/gcs",
		"github.com/slack-go/slack":                "adapters/slack",
		"github.com/gorilla/websocket":             "adapters/slack",
		"github.com/urfave/cli":                    "cmd/argo-bridge",
		"golang.org/x/image/":                      "adapters/slack/picture",
		"github.com/nektos/act":                    "bridge/match",
		"github.com/prometheus/":                   "bridge/app",
		"k8s.io/client-go/dynamic/dynamicinformer": "workflowtemplates",
	}
)

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || path == filepath.Join("..", "deploy")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		checkFile(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	pkg := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if fault := faultOf(pkg, imported); fault != "" {
			t.Errorf("%s: %s", path, fault)
		}
	}
}

func faultOf(pkg, imported string) string {
	if own, ok := strings.CutPrefix(imported, module); ok {
		return faultOfOwn(pkg, own)
	}
	if pkg == "bridge" && strings.Contains(strings.Split(imported, "/")[0], ".") {
		return "the domain imports the standard library only, not " + imported
	}
	for prefix, owner := range owned {
		if strings.HasPrefix(imported, prefix) && pkg != owner && !strings.HasPrefix(pkg, "cmd/demo") && !strings.HasPrefix(pkg, owner+"/") {
			return imported + " belongs to " + owner
		}
	}
	return ""
}

func faultOfOwn(pkg, imported string) string {
	allowed, listed := mayImport[pkg]
	if !listed {
		allowed = []string{"bridge"}
	}
	for _, a := range allowed {
		if a == "*" || a == imported {
			return ""
		}
	}
	return pkg + " may not import " + imported
}

func TestTheTableCatchesWhatItForbids(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"bridge", "go.uber.org/zap"},
		{"adapters/github", module + "adapters/slack"},
		{"adapters/gcs", module + "bridge/bus"},
		{"bridge/notify", "github.com/nats-io/nats.go"},
		{"workflowtemplates", module + "bridge/app"},
	} {
		if faultOf(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}
