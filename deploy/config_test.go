package deploy_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commented finds the settings that stand in comments: see the first lines of each config.yaml.
var commented = regexp.MustCompile(`(?m)^#(\w|  )`)

func TestEveryConfigIsAcceptedAsItStandsAndWithItsCommentedSettings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("overlays/*/config.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("configs of the overlays: %v, %v", files, err)
	}
	for _, file := range append(files, "base/config.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole := commented.ReplaceAllString(string(data), "$1")
		for _, section := range []string{"\ngcs:\n", "\nslack:\n", "\nargo:\n"} {
			if !strings.Contains(whole, section) {
				t.Errorf("%s: uncommented, it has no section %q", file, section)
			}
		}
		for name, config := range map[string]string{"as it stands": string(data), "uncommented": whole} {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				code, out := tryConfig(t, config)
				if code != 1 || !strings.Contains(out, "kubernetes:") {
					t.Errorf("the bridge should get as far as the Kubernetes API, and not find it; code %d:\n%s", code, out)
				}
			})
		}
		t.Run(file+" with a field that does not exist", func(t *testing.T) {
			t.Parallel()
			if code, out := tryConfig(t, whole+"\nnoSuchField: 1\n"); code != 2 || !strings.Contains(out, "noSuchField") {
				t.Errorf("code %d:\n%s", code, out)
			}
		})
	}
}

// tryConfig starts the bridge without a Kubernetes API: it fails, and the code tells how far it came
// (2: the config is refused).
func tryConfig(t *testing.T, config string) (code int, output string) {
	t.Helper()
	dir := t.TempDir()
	for _, key := range secretKeys {
		writeFile(t, filepath.Join(dir, key), "secret of the test")
	}
	file := filepath.Join(dir, "config.yaml")
	writeFile(t, file, strings.NewReplacer(secretsPath, dir, dataPath, dir).Replace(config))
	cmd := exec.Command(bridgeBinary(t), "serve", "--config", file, "--listen", "127.0.0.1:0",
		"--kubeconfig", filepath.Join(dir, "none"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the bridge should fail without a Kubernetes API: %v\n%s", err, out)
	}
	return exit.ExitCode(), string(out)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
