// Package busy has more goroutines that run than there are Ps.
package busy

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

func spin(until time.Time) {
	for time.Now().Before(until) {
	}
}

func TestSpins(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var wg sync.WaitGroup
	until := time.Now().Add(300 * time.Millisecond)
	for i := 0; i < 30; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); spin(until) }()
	}
	wg.Wait()
}
