// Collector is the other end of weir watch's outputs: a webhook and an OTLP/HTTP receiver. It decodes
// OTLP as its JSON encoding says, refuses members that the protocol does not have, and prints a line
// for each request.
//
//	/hook        answers 503 to the first of every two posts
//	/refuse      answers 400
//	/later       answers 429 and Retry-After: 1 to the first post, and says whether the second is early
//	/never       answers 503 and Retry-After: 3600
//	/broken/     answers 500
//	/escape      answers 404 with what a terminal would obey
//	/v1/metrics  ExportMetricsServiceRequest
//	/v1/logs     ExportLogsServiceRequest
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"
)

type (
	anyValue struct {
		StringValue *string `json:"stringValue"`
	}
	keyValue struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	number struct {
		Attributes []keyValue `json:"attributes"`
		Start      string     `json:"startTimeUnixNano"`
		Time       string     `json:"timeUnixNano"`
		AsInt      string     `json:"asInt"`
	}
	gauge struct {
		DataPoints []number `json:"dataPoints"`
	}
	sum struct {
		DataPoints  []number `json:"dataPoints"`
		Temporality int      `json:"aggregationTemporality"`
		IsMonotonic bool     `json:"isMonotonic"`
	}
	metric struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Unit        string `json:"unit"`
		Gauge       *gauge `json:"gauge"`
		Sum         *sum   `json:"sum"`
	}
	metricsRequest struct {
		ResourceMetrics []struct {
			Resource     resource `json:"resource"`
			ScopeMetrics []struct {
				Scope   scope    `json:"scope"`
				Metrics []metric `json:"metrics"`
			} `json:"scopeMetrics"`
		} `json:"resourceMetrics"`
	}
	logRecord struct {
		Time           string     `json:"timeUnixNano"`
		ObservedTime   string     `json:"observedTimeUnixNano"`
		SeverityNumber int        `json:"severityNumber"`
		SeverityText   string     `json:"severityText"`
		Body           anyValue   `json:"body"`
		Attributes     []keyValue `json:"attributes"`
	}
	logsRequest struct {
		ResourceLogs []struct {
			Resource  resource `json:"resource"`
			ScopeLogs []struct {
				Scope      scope       `json:"scope"`
				LogRecords []logRecord `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
)

func decode(w http.ResponseWriter, r *http.Request, to any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(to)
	if err == nil && r.Header.Get("Content-Type") != "application/json" {
		err = fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	if err != nil {
		fmt.Println("bad", r.URL.Path, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

// text is a list of attributes as {"key": "value"}.
func text(attributes []keyValue) string {
	values := map[string]string{}
	for _, one := range attributes {
		values[one.Key] = *one.Value.StringValue
	}
	line, _ := json.Marshal(values)
	return string(line)
}

func points(target string, one metric) {
	list, kind := []number(nil), "gauge"
	if one.Gauge != nil {
		list = one.Gauge.DataPoints
	} else {
		list, kind = one.Sum.DataPoints, fmt.Sprint("sum ", one.Sum.Temporality, " ", one.Sum.IsMonotonic)
	}
	for _, point := range list {
		value, err := strconv.ParseInt(point.AsInt, 10, 64)
		start, err1 := strconv.ParseUint(point.Start, 10, 64)
		at, err2 := strconv.ParseUint(point.Time, 10, 64)
		if err != nil || err1 != nil || err2 != nil || at < start {
			fmt.Println("bad", one.Name, point)
			continue
		}
		fmt.Println("metric", target, one.Name, kind, text(point.Attributes), value)
	}
}

func metrics(w http.ResponseWriter, r *http.Request) {
	var request metricsRequest
	if !decode(w, r, &request) {
		return
	}
	fmt.Println("token", r.Header.Get("X-Token"))
	for _, from := range request.ResourceMetrics {
		for _, scope := range from.ScopeMetrics {
			for _, one := range scope.Metrics {
				points(text(from.Resource.Attributes), one)
			}
		}
	}
	fmt.Fprint(w, `{"partialSuccess":{}}`)
}

func logs(w http.ResponseWriter, r *http.Request) {
	var request logsRequest
	if !decode(w, r, &request) {
		return
	}
	for _, from := range request.ResourceLogs {
		for _, scope := range from.ScopeLogs {
			for _, one := range scope.LogRecords {
				fmt.Println("log", one.SeverityNumber, one.SeverityText, text(one.Attributes),
					strconv.Quote(*one.Body.StringValue))
			}
		}
	}
	fmt.Fprint(w, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"logs are not wanted"}}`)
}

func main() {
	posts := int64(0)
	http.HandleFunc("/hook", func(w http.ResponseWriter, r *http.Request) {
		if atomic.AddInt64(&posts, 1)%2 == 1 {
			fmt.Println("unavailable")
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Println("hook", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body))
	})
	http.HandleFunc("/refuse", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusBadRequest)
		fmt.Println("refused")
	})
	asked := int64(0)
	http.HandleFunc("/later", func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().UnixNano()
		if atomic.CompareAndSwapInt64(&asked, 0, now) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Println("again, early:", now-atomic.LoadInt64(&asked) < int64(time.Second))
	})
	http.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	http.HandleFunc("/broken/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("broken", r.URL.Path)
		w.WriteHeader(http.StatusInternalServerError)
	})
	http.HandleFunc("/escape", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "\x1b]0;title\a\u009b31mred\n")
	})
	http.HandleFunc("/v1/metrics", metrics)
	http.HandleFunc("/v1/logs", logs)
	fmt.Println("ready", httptest.NewServer(http.DefaultServeMux).Listener.Addr())
	select {}
}
