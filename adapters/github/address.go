package github

import (
	"fmt"
	"net/url"
	"strconv"
)

// An Address is where GitHub answers an event: what [bridge.Facts.ReplyTo] of its events holds as text.
type Address struct {
	// Installation is the id of the App's installation; 0 for a webhook of the repository's own, through which
	// nothing can be answered.
	Installation int64
	Repository   string // owner/name
	// Commit is the commit that checks and statuses are about; empty when the event has none.
	Commit string
	// Number is the issue or pull request, 0 for none. Comment is the comment that gave a command, and CommentKind
	// where it stands: issue, review or commit.
	Number      int
	Comment     int64
	CommentKind string
	// Deployment is the deployment that the event asks for, 0 for none.
	Deployment int64
}

// String writes an address so that [ParseAddress] can read it.
func (a Address) String() string {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" && value != "0" {
			v.Set(key, value)
		}
	}
	set("installation", strconv.FormatInt(a.Installation, 10))
	set("repository", a.Repository)
	set("commit", a.Commit)
	set("number", strconv.Itoa(a.Number))
	set("comment", strconv.FormatInt(a.Comment, 10))
	set("kind", a.CommentKind)
	set("deployment", strconv.FormatInt(a.Deployment, 10))
	return v.Encode()
}

// ParseAddress reads what [Address.String] has written.
func ParseAddress(s string) (a Address, err error) {
	v, err := url.ParseQuery(s)
	if err != nil {
		return a, fmt.Errorf("the address %q: %w", s, err)
	}
	number := func(key string) (n int64) {
		if text := v.Get(key); text != "" && err == nil {
			n, err = strconv.ParseInt(text, 10, 64)
		}
		return n
	}
	a = Address{
		Installation: number("installation"), Repository: v.Get("repository"), Commit: v.Get("commit"), Number: int(number("number")),
		Comment: number("comment"), CommentKind: v.Get("kind"), Deployment: number("deployment"),
	}
	if err == nil && a.Repository == "" {
		err = fmt.Errorf("it names no repository")
	}
	if err != nil {
		return Address{}, fmt.Errorf("the address %q: %w", s, err)
	}
	return a, nil
}
