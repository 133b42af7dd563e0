package attrindirect

import "testing"

// The goroutine that leaks was started by one that was gone when the test ended.
func TestStartsThroughAnother(t *testing.T) {
	done := make(chan bool)
	go func() {
		go func() {
			go func() { select {} }()
			close(done)
		}()
	}()
	<-done
}

func TestInnocent(t *testing.T) {}
