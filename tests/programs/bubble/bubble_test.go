//go:build go1.25

// Bubble waits for good with a synctest bubble in it; it prints "ready" when everything is parked.
package bubble

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan int)
		go func() { <-never }()
		go func() { never <- 1; never <- 1 }()
		go func() { time.Sleep(time.Hour) }()
		go func() {
			select {
			case <-never:
			case <-time.After(time.Hour):
			}
		}()
		go func() { select {} }()
		go func() {
			var group sync.WaitGroup
			group.Add(1)
			group.Wait()
		}()
		go func() {
			condition := sync.NewCond(new(sync.Mutex))
			condition.L.Lock()
			condition.Wait()
		}()
		synctest.Wait()
		fmt.Println("ready")
		os.Stdin.Read(make([]byte, 1)) // not a wait inside the bubble: nothing is woken
	})
}
