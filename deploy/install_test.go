// Package deploy_test installs each overlay on a real Kubernetes API, runs the bridge as the pod would
// run it, and holds that its rights are enough and no more.
package deploy_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const name = "argo-bridge"

var (
	workflows        = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
	templates        = workflows.GroupVersion().WithResource("workflowtemplates")
	clusterTemplates = workflows.GroupVersion().WithResource("clusterworkflowtemplates")
)

// namespacedRights are all that the bridge needs where it serves one namespace.
var namespacedRights = []right{
	"create events",
	"create workflows.argoproj.io",
	"delete pods",
	"get configmaps",
	"get pods/log",
	"get workflows.argoproj.io",
	"list pods",
	"list workflows.argoproj.io",
	"list workflowtemplates.argoproj.io",
	"patch workflows.argoproj.io",
	"watch workflows.argoproj.io",
	"watch workflowtemplates.argoproj.io",
}

// clusterRights are all that it needs where it serves the cluster.
var clusterRights = slices.Sorted(slices.Values(append([]right{
	"list clusterworkflowtemplates.argoproj.io",
	"watch clusterworkflowtemplates.argoproj.io",
}, namespacedRights...)))

// haRights are all that it needs where several replicas serve one namespace.
var haRights = slices.Sorted(slices.Values(append([]right{
	"create leases.coordination.k8s.io",
	"get leases.coordination.k8s.io",
	"update leases.coordination.k8s.io",
}, namespacedRights...)))

// An install is one overlay, installed.
type install struct {
	cluster   *cluster
	overlay   string
	namespace string // of the bridge; it stands in the overlay unless it is given by kustomization
	serves    string // a namespace that it serves
	own       string // kustomization of one's own on top of the overlay; none: the overlay as it is
	wide      bool
	rights    []right
}

func TestTheRightsOfEachOverlayAreEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for _, i := range []*install{
		{overlay: "cluster", namespace: "argo", serves: "team-a", wide: true, rights: clusterRights},
		{overlay: "namespaced", namespace: "data-team", serves: "data-team", rights: namespacedRights,
			own: "components: [%s/components/network-policy]\n"},
		{overlay: "ha", namespace: "web-team", serves: "web-team", rights: haRights, own: "\n"},
	} {
		i.cluster = c
		t.Run(i.overlay, func(t *testing.T) {
			t.Parallel()
			c.kubectl(t, "apply", "--dry-run=server", "--validate=strict", "-k", filepath.Join("overlays", i.overlay))
			i.apply(t)
			deployment := i.deployment(t)
			i.checkPodSecurity(t, deployment)
			i.checkSelectors(t, deployment)
			identity := i.identity(t)
			i.checkRights(t, kubernetes.NewForConfigOrDie(identity))
			i.serve(t, deployment, identity)
		})
	}
}

// apply installs the overlay, by a kustomization of one's own as the README shows where i has one.
func (i *install) apply(t *testing.T) {
	t.Helper()
	for _, namespace := range []string{i.namespace, i.serves} {
		_, err := i.cluster.client.CoreV1().Namespaces().Create(t.Context(),
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	dir := filepath.Join("overlays", i.overlay)
	if i.own != "" {
		dir = t.TempDir()
		here := relative(t, dir)
		writeFile(t, filepath.Join(dir, "kustomization.yaml"), fmt.Sprintf("namespace: %s\nresources: [%s/overlays/%s]\n%s",
			i.namespace, here, i.overlay, strings.ReplaceAll(i.own, "%s", here)))
	}
	i.cluster.kubectl(t, "apply", "--validate=strict", "-k", dir)
}

func (i *install) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	d, err := i.cluster.client.AppsV1().Deployments(i.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// checkPodSecurity creates the pod, on trial, in a namespace that takes restricted pods only:
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
func (i *install) checkPodSecurity(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	namespace := "restricted-" + i.overlay
	_, err := i.cluster.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	create := func(change func(*corev1.PodSpec)) error {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: *d.Spec.Template.Spec.DeepCopy()}
		change(&pod.Spec)
		_, err := i.cluster.client.CoreV1().Pods(namespace).Create(t.Context(), pod,
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	if err := create(func(*corev1.PodSpec) {}); err != nil {
		t.Errorf("the pod is not taken where pods are restricted: %v", err)
	}
	if err := create(func(s *corev1.PodSpec) { s.Containers[0].SecurityContext = nil }); !apierrors.IsForbidden(err) {
		t.Errorf("a pod without a security context should be forbidden: %v", err)
	}
	if c := d.Spec.Template.Spec.Containers[0].SecurityContext; c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
		t.Error("the root file system can be written to")
	}
}

// checkSelectors holds that Service and PodDisruptionBudget speak of the bridge's pods, and of no others.
func (i *install) checkSelectors(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	want := d.Spec.Selector.MatchLabels
	if len(want) == 0 || !maps.Equal(want, d.Spec.Template.Labels) {
		t.Errorf("the Deployment selects %v, its pods have %v", want, d.Spec.Template.Labels)
	}
	service, err := i.cluster.client.CoreV1().Services(i.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, service.Spec.Selector); diff != "" {
		t.Errorf("Service: %s", diff)
	}
	budget, err := i.cluster.client.PolicyV1().PodDisruptionBudgets(i.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&metav1.LabelSelector{MatchLabels: want}, budget.Spec.Selector); diff != "" {
		t.Errorf("PodDisruptionBudget: %s", diff)
	}
}

// identity is the bridge's: a token of its service account, and nothing else of the administrator's.
func (i *install) identity(t *testing.T) *rest.Config {
	t.Helper()
	seconds := int64(3600)
	token, err := i.cluster.client.CoreV1().ServiceAccounts(i.namespace).CreateToken(t.Context(), name,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(i.cluster.config)
	config.BearerToken = token.Status.Token
	return config
}

// checkRights compares what the API server says the identity may do with what it needs.
func (i *install) checkRights(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	elsewhere := []right(nil)
	if i.wide {
		elsewhere = i.rights
	}
	for namespace, want := range map[string][]right{i.serves: i.rights, "default": elsewhere} {
		eventually(t, "the rights in namespace "+namespace, func() error {
			if diff := cmp.Diff(want, granted(t, client, namespace)); diff != "" {
				return fmt.Errorf("needed and granted differ (-needed +granted):\n%s", diff)
			}
			return nil
		})
	}
	const argo = "argoproj.io"
	denied := []authorizationv1.ResourceAttributes{
		{Verb: "get", Resource: "secrets"}, {Verb: "list", Resource: "secrets"},
		{Verb: "delete", Group: argo, Resource: "workflows"}, {Verb: "update", Group: argo, Resource: "workflows"},
		{Verb: "create", Group: argo, Resource: "workflowtemplates"}, {Verb: "patch", Group: argo, Resource: "workflowtemplates"},
		{Verb: "update", Group: argo, Resource: "clusterworkflowtemplates"},
		{Verb: "create", Resource: "pods"}, {Verb: "get", Resource: "pods"}, {Verb: "create", Resource: "pods", Subresource: "exec"},
		{Verb: "create", Resource: "serviceaccounts", Subresource: "token"}, {Verb: "impersonate", Resource: "users"},
	}
	for _, a := range denied {
		for _, a.Namespace = range []string{i.namespace, i.serves, "default", ""} {
			if may(t, client, a) {
				t.Errorf("it may %s %s/%s in namespace %q", a.Verb, a.Resource, a.Subresource, a.Namespace)
			}
		}
	}
	for _, namespace := range []string{"default", "argo", ""} {
		a := authorizationv1.ResourceAttributes{Verb: "create", Group: argo, Resource: "workflows", Namespace: namespace}
		if got := may(t, client, a); got != i.wide {
			t.Errorf("it may create workflows in namespace %q: %v, want %v", namespace, got, i.wide)
		}
	}
	if _, err := client.CoreV1().Secrets(i.namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("it lists secrets: %v", err)
	}
}

// A pod is what a pod of the Deployment has, with its mounts in folders of this machine.
type pod struct{ args, env []string }

// pod reads the Deployment as the kubelet does. The API server is reached by the recorder.
func (i *install) pod(t *testing.T, d *appsv1.Deployment) *pod {
	t.Helper()
	container, p := d.Spec.Template.Spec.Containers[0], &pod{}
	mounts := map[string]string{}
	var paths []string
	for _, m := range container.VolumeMounts {
		mounts[m.Name] = t.TempDir()
		paths = append(paths, m.MountPath, mounts[m.Name])
	}
	here := strings.NewReplacer(paths...)
	for _, v := range d.Spec.Template.Spec.Volumes {
		switch {
		case v.ConfigMap != nil:
			config, err := i.cluster.client.CoreV1().ConfigMaps(i.namespace).Get(t.Context(), v.ConfigMap.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for file, content := range config.Data {
				writeFile(t, filepath.Join(mounts[v.Name], file), here.Replace(content))
			}
		case v.Secret != nil && v.Secret.SecretName == "argo-bridge-secrets":
			writeFile(t, filepath.Join(mounts[v.Name], "github-webhook-secret"), webhookSecret+"\n")
		}
	}
	for _, arg := range container.Args {
		p.args = append(p.args, here.Replace(arg))
	}
	for _, e := range container.Env {
		p.env = append(p.env, e.Name+"="+e.Value)
	}
	return p
}

// kubeconfig writes a file for the identity, by way of the recorder, in the bridge's namespace.
func (i *install) kubeconfig(t *testing.T, identity *rest.Config, r *recorder) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: r.url, CertificateAuthorityData: r.ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: identity.BearerToken}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name, Namespace: i.namespace}},
		CurrentContext: name,
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// serve runs the bridge as the service account, lets it do all that it does, and compares the rights
// that it used with those that it has.
func (i *install) serve(t *testing.T, d *appsv1.Deployment, identity *rest.Config) {
	t.Helper()
	recorder := newRecorder(t, i.cluster.config)
	flags := []string{"--kubeconfig", i.kubeconfig(t, identity, recorder)}
	if i.overlay == "ha" {
		flags = append(flags, "--nats-url", startNATS(t))
	}
	var replicas []*replica
	for range *d.Spec.Replicas {
		replicas = append(replicas, startReplica(t, i.pod(t, d), flags...))
	}
	for _, r := range replicas {
		r.waitReady(t)
	}
	i.createTemplates(t)
	i.waitForFaults(t)
	for n, r := range replicas {
		delivery := fmt.Sprintf("%s-%d", i.overlay, n)
		r.push(t, delivery)
		i.waitForWorkflows(t, delivery)
		t.Logf("replica %d: %d MiB at most", n, r.peakMemory())
	}
	// Each push stops the run of the one before, but for one that has ended: Argo may not know the template at once.
	for n := 0; !slices.Contains(recorder.rights(), "patch workflows.argoproj.io") && n < 20; n++ {
		delivery := fmt.Sprintf("%s-again-%d", i.overlay, n)
		replicas[0].push(t, delivery)
		i.waitForWorkflows(t, delivery)
	}
	i.readLog(t, identity, recorder)
	i.readLayout(t, identity, recorder)
	i.retry(t, identity, recorder)
	if diff := cmp.Diff(i.rights, recorder.rights()); diff != "" {
		t.Errorf("granted and used differ (-granted +used):\n%s", diff)
	}
	grace := time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	for _, r := range replicas {
		r.stop(t, grace)
	}
}

// createTemplates makes, in this order, a sound template and a faulty one; in a cluster-wide install
// also those of the cluster.
func (i *install) createTemplates(t *testing.T) {
	t.Helper()
	for _, template := range []struct{ name, on string }{{"sound", "github.push"}, {"faulty", "github.pusch"}} {
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate",
			"metadata": map[string]any{"name": template.name, "annotations": map[string]any{
				"bridge.argoproj.io/on":          template.on,
				"bridge.argoproj.io/parameters":  "sha: github.sha",
				"bridge.argoproj.io/concurrency": "{group: github.ref, policy: cancel-in-progress}",
			}},
			"spec": map[string]any{
				"entrypoint": "main",
				"arguments":  map[string]any{"parameters": []any{map[string]any{"name": "sha"}}},
				"templates": []any{map[string]any{"name": "main", "container": map[string]any{
					"image": "busybox", "command": []any{"sleep", "300"},
				}}},
			},
		}}
		if _, err := i.cluster.dynamic.Resource(templates).Namespace(i.serves).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if !i.wide {
			continue
		}
		object.SetKind("ClusterWorkflowTemplate")
		if _, err := i.cluster.dynamic.Resource(clusterTemplates).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// waitForFaults waits for the Kubernetes Events of the faulty templates, which come after the sound
// ones were read.
func (i *install) waitForFaults(t *testing.T) {
	t.Helper()
	kinds := map[string]string{"WorkflowTemplate": i.serves}
	if i.wide {
		kinds["ClusterWorkflowTemplate"] = metav1.NamespaceDefault
	}
	for kind, namespace := range kinds {
		eventually(t, "an Event on the faulty "+kind, func() error {
			list, err := i.cluster.client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{
				FieldSelector: "involvedObject.name=faulty,involvedObject.kind=" + kind,
			})
			if err != nil {
				return err
			}
			for _, event := range list.Items {
				if event.Type == corev1.EventTypeWarning && strings.Contains(event.Message, "pusch") {
					return nil
				}
			}
			return fmt.Errorf("%d events", len(list.Items))
		})
	}
}

// waitForWorkflows waits for the one Workflow that the delivery starts. The ClusterWorkflowTemplate
// starts none: the config gives namespace argo another repository.
func (i *install) waitForWorkflows(t *testing.T, delivery string) {
	t.Helper()
	eventually(t, "a workflow for "+delivery, func() error {
		list, err := i.cluster.dynamic.Resource(workflows).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		var found []string
		for _, w := range list.Items {
			if w.GetAnnotations()["bridge.argoproj.io/event-id"] == delivery {
				found = append(found, w.GetNamespace()+"/"+w.GetLabels()["workflows.argoproj.io/workflow-template"])
			}
		}
		if want := []string{i.serves + "/sound"}; !slices.Equal(found, want) {
			return fmt.Errorf("found %v, want %v", found, want)
		}
		return nil
	})
}
