package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/argo-bridge/argo-bridge/adapters/github/setup"
)

// Names of the App's two secrets, as keys of the Secret and as files, and where deploy/ mounts the Secret.
const (
	privateKeyKey    = "github-private-key"
	webhookSecretKey = "github-webhook-secret"
	mountPath        = "/etc/argo-bridge/secrets"
)

// A place keeps the App's secrets.
type place interface {
	// ready says why the place cannot take them; nil: it can.
	ready(ctx context.Context) error
	// write keeps them, and says where, and under which folder the bridge reads them.
	write(ctx context.Context, secrets map[string][]byte) (where, mounted string, err error)
}

func placeOf(c *cli.Context) (place, error) {
	secret, dir := c.String("secret"), c.String("output-dir")
	switch {
	case secret != "" && dir != "":
		return nil, errors.New("--secret, --output-dir: only one of them can hold the App's key")
	case dir != "":
		return folder{dir, c.Bool("force")}, nil
	case secret == "":
		return nil, errors.New("--secret or --output-dir: where is the App's key to go?")
	}
	k, err := loadCluster(c)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errors.New("--secret: there is no kubeconfig")
	}
	client, err := kubernetes.NewForConfig(k.config)
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	return kubernetesSecret{client, k.namespace, secret, c.Bool("force")}, nil
}

// keep writes the App's secrets to a place. GitHub tells them once: where the place fails after all, they go to a new folder.
func keep(ctx context.Context, p place, a setup.App) (where, mounted string, err error) {
	secrets := map[string][]byte{privateKeyKey: a.Key, webhookSecretKey: []byte(a.WebhookSecret)}
	where, mounted, err = p.write(ctx, secrets)
	if err == nil {
		return where, mounted, nil
	}
	dir, second := os.MkdirTemp("", "argo-bridge-github-")
	if second == nil {
		_, _, second = (folder{dir, true}).write(ctx, secrets)
	}
	if second != nil {
		return "", "", fmt.Errorf("%w; the App %s is made, and its key is lost: delete it in GitHub's settings (%w)", err, a.Slug, second)
	}
	return "", "", fmt.Errorf("%w; the App %s (id %d) is made, and its key and secret are in %s: put them where the bridge reads them", err, a.Slug, a.ID, dir)
}

// A folder holds a file for each secret that only its owner reads.
type folder struct {
	path  string
	force bool
}

func (f folder) ready(context.Context) error {
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return fmt.Errorf("--output-dir: %w", err)
	}
	for _, name := range []string{privateKeyKey, webhookSecretKey} {
		if _, err := os.Lstat(filepath.Join(f.path, name)); err == nil && !f.force {
			return fmt.Errorf("%s is there: --force replaces it", filepath.Join(f.path, name))
		}
	}
	return nil
}

func (f folder) write(_ context.Context, secrets map[string][]byte) (where, mounted string, err error) {
	for name, secret := range secrets {
		if err := f.file(filepath.Join(f.path, name), secret); err != nil {
			return "", "", err
		}
	}
	absolute, err := filepath.Abs(f.path)
	return f.path, absolute, err
}

// file writes a new file: one that somebody has made meanwhile, and others may read, is not written to.
func (f folder) file(path string, secret []byte) error {
	if f.force {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("replace %s: %w", path, err)
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the App's secrets: %w", err)
	}
	_, err = file.Write(secret)
	return errors.Join(err, file.Close())
}

// A kubernetesSecret holds them under their names; what else it holds stays.
type kubernetesSecret struct {
	client          kubernetes.Interface
	namespace, name string
	force           bool
}

func (s kubernetesSecret) ready(ctx context.Context) error {
	found, err := s.client.CoreV1().Secrets(s.namespace).Get(ctx, s.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("look at Secret %s/%s: %w", s.namespace, s.name, err)
	}
	for _, key := range []string{privateKeyKey, webhookSecretKey} {
		if len(found.Data[key]) > 0 && !s.force {
			return fmt.Errorf("the Secret %s/%s has %s already: --force replaces it", s.namespace, s.name, key)
		}
	}
	return nil
}

func (s kubernetesSecret) write(ctx context.Context, secrets map[string][]byte) (where, mounted string, err error) {
	object := corev1.Secret(s.name, s.namespace).WithData(secrets)
	_, err = s.client.CoreV1().Secrets(s.namespace).Apply(ctx, object, metav1.ApplyOptions{FieldManager: "argo-bridge-setup", Force: s.force})
	if err != nil {
		return "", "", fmt.Errorf("write Secret %s/%s: %w", s.namespace, s.name, err)
	}
	return "Secret " + s.namespace + "/" + s.name, mountPath, nil
}
