package admin

// Len is how many decisions the cache holds.
func (c *Cache) Len() int { return len(c.entries) }

// Bearer is the user of a token file with that text who bears the token.
func Bearer(text, token string) (string, error) {
	bearers, err := parseTokens(text)
	if err != nil {
		return "", err
	}
	b := find(bearers, token)
	if b == nil {
		return "", nil
	}
	return b.user, nil
}

// ParseReplay reads a request's body.
var ParseReplay = parseReplay
