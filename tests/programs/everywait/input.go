package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func fdOf(c syscall.Conn) string {
	raw, err := c.SyscallConn()
	must(err)
	fields := ""
	must(raw.Control(func(fd uintptr) { fields = fmt.Sprintf("fd=%d", fd) }))
	return fields
}

func init() {
	register("io-accept-tcp", func(name string) {
		l := listen("tcp", "127.0.0.1:0")
		expect(name, "kind=io", fdOf(l.(*net.TCPListener)), "dir=read")
		go func() { enter(name); l.Accept() }()
	})
	register("io-accept-unix", func(name string) {
		l := listen("unix", socketPath())
		expect(name, "kind=io", fdOf(l.(*net.UnixListener)), "dir=read")
		go func() { enter(name); l.Accept() }()
	})
	register("io-read-tcp", func(name string) {
		c, _ := connect("tcp", "127.0.0.1:0")
		expect(name, "kind=io", fdOf(c.(*net.TCPConn)), "dir=read")
		go func() { enter(name); c.Read(make([]byte, 1)) }()
	})
	register("io-read-unix", func(name string) {
		c, _ := connect("unix", socketPath())
		expect(name, "kind=io", fdOf(c.(*net.UnixConn)), "dir=read")
		go func() { enter(name); c.Read(make([]byte, 1)) }()
	})
	register("io-read-udp", func(name string) {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		must(err)
		keep = append(keep, c)
		expect(name, "kind=io", fdOf(c.(*net.UDPConn)), "dir=read")
		go func() { enter(name); c.ReadFrom(make([]byte, 1)) }()
	})
	register("io-write-tcp", func(name string) {
		c, _ := connect("tcp", "127.0.0.1:0")
		expect(name, "kind=io", fdOf(c.(*net.TCPConn)), "dir=write")
		go func() { enter(name); c.Write(make([]byte, 64<<20)) }()
	})
	// The second writer of a connection waits for the first one's write lock.
	register("io-write-lock", func(name string) {
		c, _ := connect("unix", socketPath())
		expect(name, "kind=semaphore")
		go c.Write(make([]byte, 64<<20))
		time.Sleep(100 * time.Millisecond)
		go func() { enter(name); c.Write(make([]byte, 1)) }()
	})
	register("io-pipe", func(name string) {
		r, w, err := os.Pipe()
		must(err)
		keep = append(keep, r, w)
		expect(name, "kind=io", fdOf(r), "dir=read")
		go func() { enter(name); r.Read(make([]byte, 1)) }()
	})
	register("syscall-read", func(name string) {
		var fds [2]int
		must(syscall.Pipe(fds[:]))
		expect(name, "kind=syscall")
		go func() { enter(name); syscall.Read(fds[0], make([]byte, 1)) }()
	})
	register("signal", func(name string) {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		expect(name, "kind=channel_receive", channel(c))
		go func() { enter(name); <-c }()
	})
}

func listen(network, address string) net.Listener {
	l, err := net.Listen(network, address)
	must(err)
	keep = append(keep, l)
	return l
}

// connect gives the two ends of one connection.
func connect(network, address string) (net.Conn, net.Conn) {
	l := listen(network, address)
	client, err := net.Dial(network, l.Addr().String())
	must(err)
	server, err := l.Accept()
	must(err)
	must(l.Close())
	keep = append(keep, client, server)
	return client, server
}

var sockets = 0

// socketPath is an abstract socket, so that no file is left behind.
func socketPath() string {
	sockets++
	return fmt.Sprintf("@%s-%d-%d", filepath.Base(os.Args[0]), os.Getpid(), sockets)
}
