package attrdead

import "testing"

var (
	orders = make(chan bool)
	served = make(chan bool)
)

// The first test leaves a helper; the helper starts a goroutine while the second test runs.
func TestA(t *testing.T) {
	go func() {
		for range orders {
			go func() { select {} }()
			served <- true
		}
	}()
}

func TestB(t *testing.T) {
	orders <- true
	<-served
}
