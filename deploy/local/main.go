// Command local-cluster (first build).
package main

import (
	_ "github.com/argoproj/argo-workflows/v3/cmd/argo/commands"
	_ "github.com/argoproj/argo-workflows/v3/pkg/client/clientset/versioned"
	_ "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	_ "github.com/argoproj/argo-workflows/v3/workflow/controller"
	_ "go.etcd.io/etcd/server/v3/embed"
	_ "k8s.io/client-go/dynamic"
	_ "k8s.io/client-go/informers"
	_ "k8s.io/client-go/metadata/metadatainformer"
	_ "k8s.io/client-go/restmapper"
	_ "k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/version"
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/controller-manager/pkg/informerfactory"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
	_ "k8s.io/kubernetes/pkg/controller/garbagecollector"
	_ "k8s.io/kubernetes/pkg/controller/namespace"
	_ "k8s.io/kubernetes/pkg/controller/serviceaccount"
)

func main() {}
