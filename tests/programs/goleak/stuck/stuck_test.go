package stuck

import (
	"sync"
	"testing"
)

// Two goroutines wait for each other's lock; only the alarm of -timeout is left.
func TestDeadlock(t *testing.T) {
	var a, b sync.Mutex
	first, second, done := make(chan bool), make(chan bool), make(chan bool)
	lock := func(mine, other *sync.Mutex, have, wait chan bool) {
		mine.Lock()
		close(have)
		<-wait
		other.Lock()
		done <- true
	}
	go lock(&a, &b, first, second)
	go lock(&b, &a, second, first)
	<-done
}
