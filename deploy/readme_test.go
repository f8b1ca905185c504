package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// example returns the README's example of that kind.
func example(t *testing.T, kind string) string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range yamlBlock.FindAllStringSubmatch(string(data), -1) {
		if strings.Contains(block[1], "\nkind: "+kind+"\n") {
			return block[1]
		}
	}
	t.Fatalf("README.md shows no %s", kind)
	return ""
}

func TestTheKustomizationOfTheREADMEIsAnInstallOfOnesOwn(t *testing.T) {
	t.Parallel()
	needLocalCluster(t)
	dir := t.TempDir()
	remote := regexp.MustCompile(`github\.com/argo-bridge/argo-bridge/deploy(\S+)\?ref=\S+`)
	writeFile(t, filepath.Join(dir, "kustomization.yaml"), remote.ReplaceAllString(example(t, "Kustomization"), relative(t, dir)+"$1"))
	writeFile(t, filepath.Join(dir, "config.yaml"), "clusterWide: true # mine\n")
	out := kubectl(t, "kustomize", dir)
	for _, want := range []string{
		"config.yaml: |\n    clusterWide: true # mine",
		"image: registry.example.com/argo-bridge:v0.1.0",
		"- kind: ServiceAccount\n  name: argo-bridge\n  namespace: data-team\n",
		"type: RollingUpdate",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if n := strings.Count(out, "\nkind: Role\n"); n != 1 || !strings.Contains(out, "name: argo-bridge-leader\n") {
		t.Errorf("%d Roles, want the leader's alone in\n%s", n, out)
	}
	for _, unwanted := range []string{"namespace: argo\n", "PersistentVolumeClaim"} {
		if strings.Contains(out, unwanted) {
			t.Errorf("there is %q in\n%s", unwanted, out)
		}
	}
}

func TestTheIngressOfTheREADMEExposesTheWebhooksAlone(t *testing.T) {
	t.Parallel()
	var ingress networkingv1.Ingress
	if err := yaml.UnmarshalStrict([]byte(example(t, "Ingress")), &ingress); err != nil {
		t.Fatal(err)
	}
	for _, rule := range ingress.Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			if path.Path != "/webhooks" || path.Backend.Service.Name != name {
				t.Errorf("it exposes %s of %s", path.Path, path.Backend.Service.Name)
			}
		}
	}
}

func TestTheREADMENamesEveryRightAndSecret(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, right := range clusterRights {
		verb, resource, _ := strings.Cut(right, " ")
		resource, _, _ = strings.Cut(resource, ".")
		line := regexp.MustCompile("(?m)^\\| .*`" + verb + "`.* " + resource + " \\|")
		if !line.Match(data) {
			t.Errorf("it does not say what %q is for", right)
		}
	}
	for _, key := range secretKeys {
		if !strings.Contains(string(data), "| `"+key+"` |") {
			t.Errorf("it does not name the key %s of the Secret", key)
		}
	}
}
