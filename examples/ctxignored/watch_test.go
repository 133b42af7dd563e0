package ctxignored

import (
	"context"
	"testing"
)

func TestWatchReports(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, alarms, seen := make(chan string), make(chan string), make(chan string, 1)
	Watch(ctx, events, alarms, func(s string) { seen <- s })
	events <- "started"
	if got := <-seen; got != "started" {
		t.Fatalf("got %q", got)
	}
}
