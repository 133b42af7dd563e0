// Underexec does what its arguments say, for the tests of `weir exec`.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

//go:noinline
func leak() {
	parked := make(chan bool)
	go func() {
		close(parked)
		select {}
	}()
	<-parked
}

// tracer is the process that traces this one; 0 is nobody.
func tracer() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "TracerPid:") {
			return strings.TrimSpace(strings.TrimPrefix(line, "TracerPid:"))
		}
	}
	return "?"
}

// count prints the signals it gets until SIGUSR2 comes, and their number.
func count() {
	c := make(chan os.Signal, 16)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR2)
	fmt.Println("ready", os.Getpid())
	n := 0
	for s := range c {
		if s == syscall.SIGUSR2 {
			break
		}
		n++
		fmt.Println("got", s)
	}
	fmt.Println("signals", n)
	os.Exit(40 + n)
}

// stuck: os/signal keeps the runtime from seeing that all are asleep.
func stuck() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	var group sync.WaitGroup
	results := make(chan int)
	group.Add(1)
	go func() {
		defer group.Done()
		results <- 1
	}()
	group.Wait()
	fmt.Println(<-results)
}

func main() {
	switch os.Args[1] {
	case "exit":
		os.Exit(number(os.Args[2]))
	case "exitelsewhere":
		go os.Exit(number(os.Args[2]))
		select {}
	case "die":
		signal.Reset()
		syscall.Kill(os.Getpid(), syscall.Signal(number(os.Args[2])))
		time.Sleep(time.Minute)
	case "echo":
		fmt.Fprint(os.Stderr, "begins\n")
		io.Copy(os.Stdout, os.Stdin)
		fmt.Fprint(os.Stderr, "ends\n")
	case "leak":
		leak()
	case "leakexit":
		leak()
		os.Exit(number(os.Args[2]))
	case "panic":
		leak()
		panic("on purpose")
	case "count":
		count()
	case "stuck":
		stuck()
	case "tracer":
		fmt.Println(tracer())
	case "again": // becomes another program
		if err := syscall.Exec("/proc/self/exe", append([]string{os.Args[0]}, os.Args[2:]...), os.Environ()); err != nil {
			panic(err)
		}
	default:
		os.Exit(99)
	}
}
