package app

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// fenced finds the blocks of YAML on a page, with the spaces before them.
var fenced = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```")

// blocks are the page's examples: templates, and parts of the config file.
func blocks(t *testing.T, page string) (templates, configs []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fenced.FindAllStringSubmatch(string(data), -1) {
		var text strings.Builder
		for line := range strings.Lines(block[2]) {
			text.WriteString(strings.TrimPrefix(line, block[1]))
		}
		if strings.Contains(text.String(), "kind: WorkflowTemplate") {
			templates = append(templates, text.String())
		} else {
			configs = append(configs, text.String())
		}
	}
	return templates, configs
}

func TestTheExamplesOfThePagesHold(t *testing.T) {
	t.Parallel()
	for page, warning := range map[string]string{
		"chains.md":        "starts itself again at its end for as long as when holds",
		"cloudevents.md":   "",
		"notifications.md": "",
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			templates, configs := blocks(t, page)
			if len(templates) == 0 || len(configs) == 0 {
				t.Fatal("there are no examples")
			}
			report, err := workflowtemplates.Lint([]string{"-"}, strings.NewReader(strings.Join(templates, "\n---\n")), Language())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Faults {
				if warning == "" || f.Severity != workflowtemplates.Warning || !strings.Contains(f.Message, warning) {
					t.Error(f)
				}
			}
			for _, text := range configs {
				checkConfig(t, text)
			}
		})
	}
}

// checkConfig holds a part of the config file against the options.
func checkConfig(t *testing.T, text string) {
	t.Helper()
	var o Options
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&o); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	if err := o.Defaults().Validate(); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
}

func TestTheConfigurationPageShowsFieldsThatExist(t *testing.T) {
	t.Parallel()
	_, configs := blocks(t, "configuration.md")
	if len(configs) != 1 {
		t.Fatalf("%d examples", len(configs))
	}
	var o Options
	decoder := yaml.NewDecoder(strings.NewReader(configs[0]))
	decoder.KnownFields(true)
	if err := decoder.Decode(&o); err != nil {
		t.Error(err)
	}
}
