package leaks

import "testing"

func TestLeaks(t *testing.T) {
	never := make(chan int)
	go func() { <-never }()
}

func TestClean(t *testing.T) {}
