// Package contends keeps a goroutine waiting for a lock, for 20 ms at least.
package contends

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"time"
)

func wait(mu *sync.Mutex, done chan<- bool) {
	mu.Lock()
	mu.Unlock()
	done <- true
}

// The header of the goroutine that waits names the lock, or what is below it.
func isWaiting() bool {
	all := make([]byte, 1<<20)
	for _, one := range bytes.Split(all[:runtime.Stack(all, true)], []byte("\n\n")) {
		header := bytes.SplitN(one, []byte("\n"), 2)[0]
		if bytes.Contains(one, []byte("contends.wait(")) &&
			(bytes.Contains(header, []byte("semacquire")) || bytes.Contains(header, []byte("sync.Mutex.Lock"))) {
			return true
		}
	}
	return false
}

func TestHolds(t *testing.T) {
	var mu sync.Mutex
	done := make(chan bool)
	mu.Lock()
	go wait(&mu, done)
	for !isWaiting() {
		time.Sleep(time.Millisecond)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		mu.Unlock()
	}()
	<-done
}
