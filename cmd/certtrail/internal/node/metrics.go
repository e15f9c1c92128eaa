package node

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/certtrail/certtrail/ingest/ask"
)

var (
	deliveries = prometheus.NewDesc("certtrail_deliveries_total", "Deliveries since the process began, by what became of them.", []string{"source", "outcome"}, nil)
	logSeq     = prometheus.NewDesc("certtrail_log_last_seq", "Sequence of the last durable event.", nil, nil)
	lag        = prometheus.NewDesc("certtrail_projection_lag_events", "Events that the read models do not hold yet.", []string{"projection"}, nil)
	apiUp      = prometheus.NewDesc("certtrail_api_up", "Whether a provider's API is asked (1), or left alone because it does not answer (0).", []string{"source"}, nil)
	gapEvents  = prometheus.NewDesc("certtrail_log_gap_events", "Sequence numbers that are gone from the log.", nil, nil)
)

// metrics serves the process's own figures, for Prometheus.
func (sv *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{sv})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

type collector struct{ *Server }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{deliveries, logSeq, lag, gapEvents, apiUp} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.sources {
		n := s.Counts()
		for outcome, count := range map[string]uint64{"accepted": n.Accepted, "quarantined": n.Quarantined, "refused": n.Refused, "lost": n.Lost} {
			ch <- prometheus.MustNewConstMetric(deliveries, prometheus.CounterValue, float64(count), s.Name, outcome)
		}
	}
	for name, a := range c.apis {
		up := 1.0
		if a.caller.Breaker().State == ask.BreakerOpen {
			up = 0
		}
		ch <- prometheus.MustNewConstMetric(apiUp, prometheus.GaugeValue, up, name)
	}
	ctx := context.Background()
	if last, err := c.log.Last(ctx); err == nil {
		ch <- prometheus.MustNewConstMetric(logSeq, prometheus.GaugeValue, float64(last))
	}
	status, missing, err := c.Store.Status(ctx)
	if err != nil {
		return
	}
	for _, s := range status {
		ch <- prometheus.MustNewConstMetric(lag, prometheus.GaugeValue, float64(s.Lag), s.Name)
	}
	ch <- prometheus.MustNewConstMetric(gapEvents, prometheus.GaugeValue, float64(missing.Gaps.Events()))
}
