package found

import "testing"

func TestLeaksReceiver(t *testing.T) {
	never := make(chan int)
	go func() { <-never }()
}

func TestClean(t *testing.T) {
	done := make(chan bool)
	go func() { done <- true }()
	<-done
}
