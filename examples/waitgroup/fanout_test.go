package waitgroup

import (
	"errors"
	"testing"
)

func TestEachRunsAllTasks(t *testing.T) {
	ran := make(chan string, 2)
	Each([]string{"good", "bad"}, func(name string) error {
		ran <- name
		if name == "bad" {
			return errors.New("no such thing")
		}
		return nil
	}, func() {})
	<-ran
	<-ran
}
