package keepalive

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func fetch(t *testing.T, client *http.Client, url string, closeBody bool) {
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if closeBody {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }

// An idle connection of a client that nobody closes, and the server behind it: accept loop, server
// connection, the client's read loop and write loop.
func TestKeepsConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(hello))
	fetch(t, &http.Client{Transport: &http.Transport{}}, server.URL, true)
}

func TestClosesEverything(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	transport := &http.Transport{}
	fetch(t, &http.Client{Transport: transport}, server.URL, true)
	transport.CloseIdleConnections()
}
