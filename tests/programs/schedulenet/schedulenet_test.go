// Package schedulenet is linked with the C library, as is whatever imports net where cgo is on: the
// runtime then keeps an extra thread, and by itself never says that all goroutines are asleep.
package schedulenet

import (
	"net"
	"runtime"
	"sync"
	"testing"
)

var _ = net.ParseIP

func TestABBA(t *testing.T) {
	var a, b sync.Mutex
	var wg sync.WaitGroup
	both := func(first, second *sync.Mutex) {
		defer wg.Done()
		first.Lock()
		second.Lock()
		second.Unlock()
		first.Unlock()
	}
	wg.Add(2)
	go both(&a, &b)
	go both(&b, &a)
	wg.Wait()
}

// A locked thread that waits: the others need another one, which the runtime's template thread starts.
func TestLockedThread(t *testing.T) {
	ask, answer := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		answer <- 2 * <-ask
	}()
	ask <- 21
	if n := <-answer; n != 42 {
		t.Fatal(n)
	}
}
