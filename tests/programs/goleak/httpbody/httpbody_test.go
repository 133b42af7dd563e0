package httpbody

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The body is larger than what the client reads ahead, and nobody closes it.
func TestForgetsBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(strings.Repeat("x", 64<<10)))
	}))
	client := &http.Client{Transport: &http.Transport{}}
	if _, err := client.Get(server.URL); err != nil {
		t.Fatal(err)
	}
}
