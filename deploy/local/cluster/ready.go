package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const pollInterval = 50 * time.Millisecond

// readyPaths is where each component answers 200 once it can do its work.
func readyPath(component string) string {
	if component == ArgoServer {
		return "/api/v1/version"
	}
	return "/readyz"
}

// checkReady asks a component whether it can do its work.
func checkReady(ctx context.Context, s *State, component string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL(component)+readyPath(component), nil)
	if err != nil {
		return err
	}
	if component == APIServer {
		request.Header.Set("Authorization", "Bearer "+s.Tokens[AdminIdentity])
	}
	// A connection of its own per question: the answer comes from whoever
	// listens now. The certificate is not checked, as it may not be written yet.
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// waitReady polls until the component can do its work, its process has ended,
// or ctx is done.
func waitReady(ctx context.Context, d Dir, s *State, component string, r record) error {
	for {
		err := checkReady(ctx, s, component)
		if err == nil {
			return nil
		}
		if !r.alive() {
			return fmt.Errorf("%s ended; its log %s says:\n%s", component, d.Log(component), tail(d.Log(component), 2048))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%w), see %s", component, err, d.Log(component))
		case <-time.After(pollInterval):
		}
	}
}

// tail returns the last bytes of a file, for an error message.
func tail(path string, limit int64) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > limit {
		_, _ = file.Seek(-limit, io.SeekEnd)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(content))
}
