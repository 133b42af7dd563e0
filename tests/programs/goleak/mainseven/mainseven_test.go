package mainseven

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	m.Run()
	os.Exit(7)
}

func TestClean(t *testing.T) {}
