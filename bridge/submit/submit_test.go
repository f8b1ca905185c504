package submit

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
)

var submission = bridge.Submission{
	Template: bridge.Template{Namespace: "team", Name: "load"}, Rule: "default", Namespace: "team", Name: "load-abc",
	Parameters: []bridge.Parameter{{Name: "path", Value: `a,b=c "d"`}}, Labels: map[string]string{"l": "v"},
	Annotations: map[string]string{"a": "https://example.com/?a=b,c"},
}

// server is an API server that answers every request the same; it returns what it was sent.
func server(t *testing.T, status int, headers map[string]string, body string) (*Kubernetes, *string) {
	t.Helper()
	got := new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		*got = r.Method + " " + r.URL.String() + " " + string(data)
		w.Header().Set("Content-Type", "application/json")
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	client, err := kube.Argo(&rest.Config{Host: s.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return NewKubernetes(client), got
}

func status(code int, reason, message string) string {
	data, _ := json.Marshal(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
	})
	return string(data)
}

func TestTheWorkflowRefersToItsTemplateAndInjectsNothing(t *testing.T) {
	t.Parallel()
	k, got := server(t, http.StatusCreated, nil, `{}`)
	if err := k.Submit(t.Context(), submission); err != nil {
		t.Fatal(err)
	}
	want := `POST /apis/argoproj.io/v1alpha1/namespaces/team/workflows {"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",` +
		`"metadata":{"name":"load-abc","namespace":"team","labels":{"l":"v","workflows.argoproj.io/workflow-template":"load"},` +
		`"annotations":{"a":"https://example.com/?a=b,c"}},"spec":{"arguments":{"parameters":[{"name":"path","value":"a,b=c \"d\""}]},` +
		`"workflowTemplateRef":{"name":"load"}}}`
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Error(diff)
	}
	cluster := submission
	cluster.Template.Namespace = ""
	o := Workflow(cluster)
	if !o.Spec.WorkflowTemplateRef.ClusterScope || o.Metadata.Labels["workflows.argoproj.io/cluster-workflow-template"] != "load" {
		t.Errorf("%+v", o)
	}
}

func TestTheServersAnswersAreSorted(t *testing.T) {
	t.Parallel()
	const (
		success, transient, permanent, refusal = "success", "transient", "permanent", "refusal"
	)
	cases := map[string]struct {
		code    int
		reason  string
		message string
		want    string
	}{
		"it exists already":            {409, "AlreadyExists", "exists", success},
		"an invalid object":            {422, "Invalid", "spec.x is wrong", permanent},
		"a bad request":                {400, "BadRequest", "no", permanent},
		"an object that is too large":  {413, "RequestEntityTooLarge", "big", permanent},
		"a quota that is used up":      {403, "Forbidden", "exceeded quota: runs", transient},
		"a right that is missing":      {403, "Forbidden", "cannot create", refusal},
		"a namespace that is missing":  {404, "NotFound", "no namespace", refusal},
		"an expired token":             {401, "Unauthorized", "token", transient},
		"an admission webhook is down": {500, "InternalError", "failed calling webhook", transient},
		"a server that is overloaded":  {503, "ServiceUnavailable", "later", transient},
		"a conflict of another kind":   {409, "Conflict", "later", transient},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, _ := server(t, c.code, nil, status(c.code, c.reason, c.message))
			err := k.Submit(t.Context(), submission)
			got := transient
			switch {
			case err == nil:
				got = success
			case bridge.IsPermanent(err):
				got = permanent
			case bridge.IsRefusal(err):
				got = refusal
			}
			if got != c.want {
				t.Errorf("%s (%v), want %s", got, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "team/load-abc") {
				t.Errorf("the error does not name the Workflow: %v", err)
			}
		})
	}
}

func TestAServerThatNamesATimeIsHeard(t *testing.T) {
	t.Parallel()
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","code":429,"reason":"TooManyRequests","details":{"retryAfterSeconds":7}}`
	k, _ := server(t, http.StatusTooManyRequests, nil, body)
	if wait, ok := bridge.Wait(k.Submit(t.Context(), submission)); !ok || wait != 7*time.Second {
		t.Errorf("got %v %v", wait, ok)
	}
}
