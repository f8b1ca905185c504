package slacktest

import (
	"net/http"
	"time"
)

const patience = 3 * time.Second

type sockets struct{}

func (*sockets) close() {}

func (s *Server) connect(http.ResponseWriter, *http.Request) {}

func (c *call) openConnection() object { return nil }
