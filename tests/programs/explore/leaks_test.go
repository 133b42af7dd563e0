package explore

// What is left over after a test, and what of that the leak gate leaves alone.

import (
	"os"
	"os/signal"
	"testing"
	"time"
)

func startDaemon() {
	go func() { select {} }()
}

func TestLeavesDaemon(t *testing.T) { startDaemon() }

// Sleeps again and again, and is there for ever.
func TestLeavesSleeper(t *testing.T) {
	go func() {
		for {
			time.Sleep(time.Second)
		}
	}()
}

// Package os/signal's own goroutine is nobody's leak.
func TestListensToSignals(t *testing.T) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
}

// Takes its time, but ends.
func TestEndsLater(t *testing.T) {
	go func() { time.Sleep(10 * time.Second) }()
}

func TestParallelSubtests(t *testing.T) {
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) { t.Parallel() })
	}
}
