package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/argo-bridge/argo-bridge/adapters/github/setup"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// errNoRules says that there is nothing to read rules from.
var errNoRules = errors.New("no --template is named and there is no kubeconfig: whose rules are to be looked at?")

// githubNeeds are what the rules of --template, or those in the cluster, need of the App; from says which rules they are.
// found is false where there is no rule for GitHub.
func githubNeeds(c *cli.Context) (n setup.Needs, from string, found bool, err error) {
	templates, from, err := templatesOf(c)
	if err != nil {
		return n, "", false, err
	}
	for _, t := range templates {
		for _, r := range append(t.Rules, t.Faulty...) {
			n.Add(r, t.Routes(r.Name))
			found = nameRepositories(&n, r) || found
		}
	}
	for _, event := range n.Unknown {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "argo-bridge: which permission the event %s wants is not known here: see GitHub's page of it\n", event)
	}
	return n, from, found, nil
}

// templatesOf are the templates of --template, or those in the cluster; from says which they are. Faults are lint's to tell.
func templatesOf(c *cli.Context) (all []*workflowtemplates.Template, from string, err error) {
	paths, in := c.StringSlice("template"), c.App.Reader
	from = "the rules of " + strings.Join(paths, ", ")
	if len(paths) == 0 {
		k, err := loadCluster(c)
		if err != nil {
			return nil, "", err
		}
		if k == nil {
			return nil, "", errNoRules
		}
		list, err := k.templates(c.Context, c.Bool("cluster-wide"))
		if err != nil {
			return nil, "", err
		}
		paths, in, from = []string{"-"}, bytes.NewReader(list), "the rules of namespace "+k.namespace
		if c.Bool("cluster-wide") {
			from = "the rules of all namespaces"
		}
	}
	files, err := workflowtemplates.Load(paths, in)
	if err != nil {
		return nil, "", err
	}
	language := app.Language()
	for _, input := range files.Inputs {
		all = append(all, workflowtemplates.Parse(input, language))
	}
	return all, from, nil
}

// nameRepositories adds the repositories that a rule's filters name in full, and says whether the rule is about GitHub.
func nameRepositories(n *setup.Needs, r *bridge.Rule) (found bool) {
	for _, t := range r.Triggers {
		if !strings.HasPrefix(t.Event, "github.") {
			continue
		}
		found = true
		for _, f := range t.Filters {
			if f.Key() != "repositories" {
				continue
			}
			for _, b := range match.Beginnings(f) {
				if b.Whole {
					n.Name(b.Text, r.Template.String()+", rule "+r.Name)
				}
			}
		}
	}
	return found
}

// templates are the WorkflowTemplates of the namespace, or all of them with the ClusterWorkflowTemplates, as a List in JSON.
func (c *cluster) templates(ctx context.Context, everywhere bool) ([]byte, error) {
	client, err := dynamic.NewForConfig(c.config)
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	argo := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: resource}
	}
	namespace := c.namespace
	if everywhere {
		namespace = metav1.NamespaceAll
	}
	list, err := client.Resource(argo("workflowtemplates")).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list WorkflowTemplates: %w", err)
	}
	items := list.Items
	if everywhere {
		more, err := client.Resource(argo("clusterworkflowtemplates")).List(ctx, metav1.ListOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("list ClusterWorkflowTemplates: %w", err)
		}
		if err == nil {
			items = append(items, more.Items...)
		}
	}
	objects := make([]map[string]any, len(items))
	for i := range items {
		objects[i] = items[i].Object
	}
	return json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
}
