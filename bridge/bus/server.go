package bus

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// maxPayload bounds one message of the embedded server, in bytes. It is NATS' default, so that a
// bridge with an embedded server does what one with an external cluster does.
const maxPayload = inlineMax

// syncInterval is how often the embedded server forces its files to the disk.
const syncInterval = 10 * time.Second

// startServer starts the embedded server on c.DataDir, which it locks: two processes on one file
// store would destroy it.
func startServer(c Config, log *zap.Logger, heard func(line string)) (*embedded, error) {
	opts, err := serverOptions(c)
	if err != nil {
		return nil, err
	}
	e := &embedded{}
	own, err := c.restrict(opts)
	if err != nil {
		return nil, err
	}
	if e.lock, err = lockDir(c.DataDir); err != nil {
		return nil, err
	}
	if e.Server, err = server.NewServer(opts); err != nil {
		_ = e.lock.Close()
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	e.SetLoggerV2(serverLog{log.Sugar(), heard}, false, false, false)
	e.Start()
	if !e.ReadyForConnections(30 * time.Second) {
		err = fmt.Errorf("embedded NATS server on %s: not ready after 30s", c.DataDir)
	} else if err = c.admit(e.Server); err != nil {
		err = fmt.Errorf("embedded NATS server: %w", err)
	}
	if err != nil {
		e.stop()
		return nil, err
	}
	e.connect = append(e.connect, nats.InProcessServer(e.Server))
	if own != nil {
		e.connect = append(e.connect, own)
	}
	return e, nil
}

// An embedded is the server within the process.
type embedded struct {
	*server.Server
	lock    *os.File
	connect []nats.Option // how the bridge reaches it
}

func (e *embedded) stop() {
	e.Shutdown()
	e.WaitForShutdown()
	_ = e.lock.Close()
}

func serverOptions(c Config) (*server.Options, error) {
	opts := &server.Options{
		ServerName: "argo-bridge",
		JetStream:  true,
		StoreDir:   c.DataDir,
		// The streams are bounded one by one. A bound for all would refuse to make them smaller.
		JetStreamMaxStore:  math.MaxInt64,
		JetStreamMaxMemory: 64 << 20,
		MaxPayload:         maxPayload,
		NoSigs:             true,
		DontListen:         c.Listen == "",
		SyncInterval:       syncInterval,
		SyncAlways:         c.Sync == "always",
	}
	if c.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("bus.listen: %w", err)
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("bus.listen: port %q is not a number", port)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data directory %s is in use by another bridge: %w", dir, err)
	}
	return f, nil
}

// serverLog passes the server's own log on; what it calls fatal is an error to us.
type serverLog struct {
	log   *zap.SugaredLogger
	heard func(line string) // each error
}

func (l serverLog) Noticef(format string, v ...any) { l.log.Debugf(format, v...) }
func (l serverLog) Fatalf(format string, v ...any)  { l.log.Errorf(format, v...) }
func (l serverLog) Debugf(format string, v ...any)  { l.log.Debugf(format, v...) }
func (l serverLog) Tracef(format string, v ...any)  {}
func (l serverLog) Warnf(format string, v ...any)   { l.log.Warnf(format, v...) }

// Errorf passes errors on to whoever listens as well.
func (l serverLog) Errorf(format string, v ...any) {
	l.log.Errorf(format, v...)
	l.heard(fmt.Sprintf(format, v...))
}
