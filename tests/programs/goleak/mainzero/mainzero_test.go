package mainzero

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	m.Run()
	os.Exit(0)
}

func TestLeaks(t *testing.T) {
	go func() { select {} }()
}
