package github

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Root is the root of the REST API, with a slash at its end: https://api.github.com/ if baseURL is empty or GitHub's own,
// and of a GitHub Enterprise Server what stands under /api/v3/. The API of GitHub Enterprise Cloud with data residency
// has a host of its own, https://api.SUBDOMAIN.ghe.com, which is taken as it is.
// https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
func Root(baseURL string) (*url.URL, error) {
	if baseURL == "" {
		baseURL = "https://api.github.com"
	}
	u, err := url.Parse(strings.TrimRight(baseURL, "/") + "/")
	switch {
	case err != nil:
		return nil, errors.New("is no address such as https://ghe.example.com")
	case u.User != nil:
		return nil, errors.New("holds a user or password: the App's key is all that is needed")
	case u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q is no address such as https://ghe.example.com", baseURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, fmt.Errorf("%q does not begin with https://, and tokens would be for everybody to read", baseURL)
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "github.com":
		u.Host = "api.github.com"
	case strings.HasPrefix(host, "api."), strings.HasSuffix(u.Path, "/api/v3/"):
	default:
		u.Path += "api/v3/"
	}
	return u, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
