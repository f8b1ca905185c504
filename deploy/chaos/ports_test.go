package chaos

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
)

// Ports of processes that come back under their old address. They lie below the range from which Linux takes
// the ports of outgoing connections, one of which could else sit on the port of a node that is down.
const firstPort, lastPort = 10000, 32000

var nextPort atomic.Int64

// freePort returns a port of this machine that nobody listens on, each one once.
func freePort(t testing.TB) int {
	t.Helper()
	nextPort.CompareAndSwap(0, int64(os.Getpid()%2000)*10)
	for range 1000 {
		port := firstPort + int(nextPort.Add(1))%(lastPort-firstPort)
		l, err := net.Listen("tcp", address(port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
