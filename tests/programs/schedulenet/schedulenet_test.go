// Package schedulenet is linked with the C library, as is whatever imports net where cgo is on: the
// runtime then keeps an extra thread, and by itself never says that all goroutines are asleep.
package schedulenet

import (
	"net"
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
