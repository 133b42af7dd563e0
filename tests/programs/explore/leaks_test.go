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

var kept chan int

// Waits for a channel that a variable of the package has.
func TestKeepsChannel(t *testing.T) {
	kept = make(chan int)
	go func() { <-kept }()
}

// Waits for one who sleeps again and again, and has the channel.
func TestKeptBySleeper(t *testing.T) {
	done := make(chan int)
	go func() { <-done }()
	go func() {
		for i := 0; i < 1_000_000; i++ {
			time.Sleep(time.Second)
		}
		done <- 1
	}()
}
