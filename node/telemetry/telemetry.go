// Package telemetry owns what an operator sees of a node at work: counts and durations as Prometheus metrics, traces for
// OpenTelemetry, and the request's id in every line of the log.
//
// What it tells is finite and tells nothing about a person: routes by their pattern, acts by the kind of their key,
// disclosures by their purpose, errors by their code. It wraps what it watches (Store, Request, Job) and changes nothing
// of what that does.
package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/store/query"
	"yagona/web/route"
)

// Telemetry watches one node. It is safe for concurrent use.
type Telemetry struct {
	registry *prometheus.Registry
	tracer   trace.Tracer

	requests, acts, jobs                       *prometheus.CounterVec
	disclosures, storeErrors                   *prometheus.CounterVec
	requestSeconds, actSeconds, jobSeconds     *prometheus.HistogramVec
	commitActs, commitBytes                    prometheus.Histogram
	logSizes                                   *prometheus.GaugeVec
	logWaiting, logFailing                     prometheus.Gauge
	jobsDue, jobsOldest, jobsDead, unreadiness prometheus.Gauge
}

// seconds are the bounds of the durations that are counted.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// New returns a telemetry with metrics of its own. The provider makes the spans; nil: none are made.
func New(provider trace.TracerProvider) *Telemetry {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	t := &Telemetry{registry: prometheus.NewRegistry(), tracer: provider.Tracer("yagona")}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		made := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		t.registry.MustRegister(made)
		return made
	}
	duration := func(name, help string, labels ...string) *prometheus.HistogramVec {
		made := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds}, labels)
		t.registry.MustRegister(made)
		return made
	}
	sizes := func(name, help string, bounds []float64) prometheus.Histogram {
		made := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds})
		t.registry.MustRegister(made)
		return made
	}
	gauge := func(name, help string) prometheus.Gauge {
		made := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		t.registry.MustRegister(made)
		return made
	}
	t.requests = counter("yagona_requests_total", "Requests, by method, route and HTTP status.", "method", "route", "status")
	t.requestSeconds = duration("yagona_request_seconds", "How long requests took, by method and route.", "method", "route")
	t.acts = counter("yagona_acts_total", "Acts that were done, by the kind of their key.", "key")
	t.actSeconds = duration("yagona_act_seconds", "How long acts took until they were on the disk, their waiting included, by the kind of their key.", "key")
	t.storeErrors = counter("yagona_store_errors_total", "Acts and readings that the store failed, by the error's code.", "code")
	t.commitActs = sizes("yagona_commit_acts", "How many acts shared a commit.", prometheus.ExponentialBuckets(1, 2, 8))
	t.commitBytes = sizes("yagona_commit_bytes", "How many bytes the acts of a commit wrote.", prometheus.ExponentialBuckets(256, 4, 9))
	t.disclosures = counter("yagona_disclosures_total", "Journaled disclosures of personal data, by their purpose.", "purpose")
	t.jobs = counter("yagona_jobs_total", "Tries of jobs, by kind and outcome (done, or the error's code).", "kind", "outcome")
	t.jobSeconds = duration("yagona_job_seconds", "How long tries of jobs took, by kind.", "kind")
	t.jobsDue = gauge("yagona_jobs_due", "Jobs that are due and not done.")
	t.jobsOldest = gauge("yagona_jobs_oldest_seconds", "For how long the oldest of them has been due.")
	t.jobsDead = gauge("yagona_jobs_dead", "Jobs that were given up: look at yagona jobs list.")
	t.logSizes = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "yagona_log_entries", Help: "Entries of the log: that have an index (sequenced), that the log has signed (signed), that the witnesses have cosigned (cosigned).",
	}, []string{"state"})
	t.registry.MustRegister(t.logSizes)
	t.logWaiting = gauge("yagona_log_waiting_events", "Events that have no index in the log yet.")
	t.logFailing = gauge("yagona_log_failing", "1 if the log's last run could not publish everything, else 0.")
	t.unreadiness = gauge("yagona_unready", "How many of the reasons of /readyz say no.")
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "yagona_build_info", Help: "1, by the version that runs."}, []string{"version", "revision", "go"})
	build.WithLabelValues(version()).Set(1)
	t.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return t
}

// version returns what the binary says of itself: module version, revision, version of Go.
func version() (module, revision, language string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", "", runtime.Version()
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	return info.Main.Version, revision, info.GoVersion
}

// Levels are what is looked up when somebody asks for the metrics.
type Levels struct {
	Jobs                        job.Backlog
	Now                         time.Time
	Sequenced, Signed, Cosigned int64
	Waiting                     int
	LogFailing                  bool
	Unready                     int
}

// Metrics serves the metrics in Prometheus' text format. levels looks up what is not counted; where that fails, the
// answer is 503, because old levels would be taken for new ones.
func (t *Telemetry) Metrics(levels func(context.Context) (Levels, error)) http.Handler {
	serve := promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, err := levels(r.Context())
		if err != nil {
			http.Error(w, "the levels cannot be looked up: "+fault.Code(err), http.StatusServiceUnavailable)
			return
		}
		t.jobsDue.Set(float64(now.Jobs.Due))
		t.jobsDead.Set(float64(now.Jobs.Dead))
		t.jobsOldest.Set(0)
		if !now.Jobs.Oldest.IsZero() {
			t.jobsOldest.Set(now.Now.Sub(now.Jobs.Oldest).Seconds())
		}
		t.logSizes.WithLabelValues("sequenced").Set(float64(now.Sequenced))
		t.logSizes.WithLabelValues("signed").Set(float64(now.Signed))
		t.logSizes.WithLabelValues("cosigned").Set(float64(now.Cosigned))
		t.logWaiting.Set(float64(now.Waiting))
		t.logFailing.Set(0)
		if now.LogFailing {
			t.logFailing.Set(1)
		}
		t.unreadiness.Set(float64(now.Unready))
		serve.ServeHTTP(w, r)
	})
}

// Request watches a request: route.Config.Observe.
func (t *Telemetry) Request(ctx context.Context) (context.Context, func(route.Answered)) {
	ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(how route.Answered) {
		t.requests.WithLabelValues(how.Method, how.Pattern, strconv.Itoa(how.Status)).Inc()
		t.requestSeconds.WithLabelValues(how.Method, how.Pattern).Observe(how.Took.Seconds())
		endRequest(span, how)
	}
}

// Job watches a try of a job: job.Runner.Observe.
func (t *Telemetry) Job(ctx context.Context, queued job.Job) (context.Context, func(error)) {
	begun := time.Now()
	ctx, span := t.startJob(ctx, queued)
	return ctx, func(err error) {
		outcome := "done"
		if err != nil {
			outcome = fault.Code(err)
		}
		t.jobs.WithLabelValues(queued.Kind, outcome).Inc()
		t.jobSeconds.WithLabelValues(queued.Kind).Observe(time.Since(begun).Seconds())
		end(span, err)
	}
}

// Committed watches the commits of an engine that groups acts: sqlite.DB.OnCommit.
func (t *Telemetry) Committed(acts []query.Written) {
	bytes := 0
	for _, one := range acts {
		bytes += one.Bytes
	}
	t.commitActs.Observe(float64(len(acts)))
	t.commitBytes.Observe(float64(bytes))
}

// Store returns the store, watched.
func (t *Telemetry) Store(inner query.DB) query.DB { return store{inner, t} }

type store struct {
	query.DB
	t *Telemetry
}

// Update implements query.DB.
func (s store) Update(ctx context.Context, key act.Key, run func(*query.Tx) error) error {
	begun := time.Now()
	kind, _, _ := strings.Cut(string(key), ":")
	ctx, watched := s.t.startAct(ctx, kind)
	var disclosed []string
	err := s.DB.Update(ctx, key, func(tx *query.Tx) error {
		watched.run(tx)
		err := run(tx)
		disclosed = tx.Disclosed // of the run that counts, which is the last one
		watched.ran()
		return err
	})
	watched.end(err)
	if err != nil {
		s.failed(err)
		return err
	}
	s.t.acts.WithLabelValues(kind).Inc()
	s.t.actSeconds.WithLabelValues(kind).Observe(time.Since(begun).Seconds())
	for _, purpose := range disclosed {
		s.t.disclosures.WithLabelValues(purpose).Inc()
	}
	return nil
}

// View implements query.DB.
func (s store) View(ctx context.Context, run func(*query.Tx) error) error {
	err := s.DB.View(ctx, run)
	s.failed(err)
	return err
}

// failed counts what the store failed, not what an act refused or a reader gave up.
func (s store) failed(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	if kind := fault.Of(err).Kind; kind == fault.Internal || kind == fault.Unavailable {
		s.t.storeErrors.WithLabelValues(fault.Code(err)).Inc()
	}
}

// LogHandler returns a handler that adds the id of the request to each line that is written on its behalf.
func LogHandler(inner slog.Handler) slog.Handler { return logHandler{inner} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := route.RequestOf(ctx); id != "" {
		said := false
		record.Attrs(func(one slog.Attr) bool {
			said = one.Key == "request"
			return !said
		})
		if !said {
			record = record.Clone()
			record.AddAttrs(slog.String("request", id))
		}
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}
