package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// page returns the part of a list that the request's page and per_page (30, at most 100) ask for, and sets the Link
// header: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
func page[T any](w http.ResponseWriter, r *http.Request, list []T) []T {
	size := min(100, positive(r.URL.Query().Get("per_page"), 30))
	number := positive(r.URL.Query().Get("page"), 1)
	last := max(1, (len(list)+size-1)/size)
	var links []string
	add := func(to int, rel string) {
		links = append(links, fmt.Sprintf(`<%s>; rel="%s"`, address(r, "page", strconv.Itoa(to)), rel))
	}
	if number > 1 {
		add(number-1, "prev")
		add(1, "first")
	}
	if number < last {
		add(number+1, "next")
		add(last, "last")
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min(len(list), (number-1)*size)
	return append([]T{}, list[from:min(len(list), from+size)]...)
}

// address is the request's own address with a parameter set.
func address(r *http.Request, key, value string) string {
	u, err := url.Parse(r.RequestURI)
	if err != nil {
		u = &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	}
	u.Scheme, u.Host = "http", r.Host
	query := u.Query()
	query.Set(key, value)
	u.RawQuery = query.Encode()
	return u.String()
}

func positive(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}
