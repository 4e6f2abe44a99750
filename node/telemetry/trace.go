package telemetry

import (
	"context"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/store/query"
	"yagona/web/route"
)

// Exporter returns a provider that sends spans to a collector in OTLP over HTTP: to (its address, like
// http://127.0.0.1:4318), the share of the requests and jobs that are traced, from 0 to 1. A request that comes with a
// trace of its own begins a new one: strangers do not choose what is traced. Shut the provider down to send the rest.
func Exporter(ctx context.Context, to *url.URL, share float64) (*sdk.TracerProvider, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(to.JoinPath("v1", "traces").String()))
	if err != nil {
		return nil, err
	}
	return sdk.NewTracerProvider(
		sdk.WithBatcher(exporter), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(share))),
		// No host, user or process: resource.Default would tell them.
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "yagona"))),
	), nil
}

func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, fault.Code(err)) // its text may tell more than the code does
	}
	span.End()
}

func endRequest(span trace.Span, how route.Answered) {
	if span.IsRecording() {
		span.SetName(how.Method + " " + how.Pattern)
		span.SetAttributes(attribute.String("http.request.method", how.Method), attribute.String("http.route", how.Pattern),
			attribute.Int("http.response.status_code", how.Status))
		if how.Status >= 500 {
			span.SetStatus(codes.Error, how.Code)
		}
	}
	span.End()
}

// startJob begins a job's span in the trace of the act that queued it.
func (t *Telemetry) startJob(ctx context.Context, queued job.Job) (context.Context, trace.Span) {
	if queued.Trace != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": queued.Trace})
	}
	return t.tracer.Start(ctx, "job "+queued.Kind, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("job.kind", queued.Kind), attribute.Int("job.attempts", queued.Attempts)))
}

// actSpan is an act that is traced, if it is.
type actSpan struct {
	t     *Telemetry
	ctx   context.Context
	span  trace.Span
	begun time.Time // of the run that counts
	ended time.Time
}

// startAct begins an act's span where its request or job is traced; alone, an act is no trace.
func (t *Telemetry) startAct(ctx context.Context, kind string) (context.Context, *actSpan) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, &actSpan{}
	}
	ctx, span := t.tracer.Start(ctx, "act", trace.WithAttributes(attribute.String("act.key", kind)))
	return ctx, &actSpan{t: t, ctx: ctx, span: span}
}

// run says that the act runs now; the jobs that it queues belong to it.
func (a *actSpan) run(tx *query.Tx) {
	if a.span == nil {
		return
	}
	a.begun = time.Now()
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(a.ctx, carrier)
	tx.Trace = carrier["traceparent"]
}

// ran says that it has run, and waits for its commit.
func (a *actSpan) ran() { a.ended = time.Now() }

func (a *actSpan) end(err error) {
	if a.span == nil {
		return
	}
	if !a.begun.IsZero() && !a.ended.IsZero() {
		_, ran := a.t.tracer.Start(a.ctx, "run", trace.WithTimestamp(a.begun))
		ran.End(trace.WithTimestamp(a.ended))
		_, commit := a.t.tracer.Start(a.ctx, "commit", trace.WithTimestamp(a.ended))
		commit.End()
	}
	end(a.span, err)
}
