package casework

import (
	"context"
	"encoding/json"

	"yagona/kernel/job"
	"yagona/kernel/queue"
	"yagona/kernel/register"
)

// Handlers returns the handlers of the jobs that casework does itself, by kind. JobPay, JobFee, JobUnpaid and
// register.JobWrite are done by whoever keeps accounts and registers.
func (c *Casework) Handlers() map[string]job.Handler {
	with := func(do func(context.Context, job.Job, Job) error) job.Handler {
		return func(ctx context.Context, queued job.Job) error {
			var payload Job
			if err := json.Unmarshal(queued.Payload, &payload); err != nil {
				return err
			}
			return do(ctx, queued, payload)
		}
	}
	return map[string]job.Handler{
		JobGather:           with(c.Gather),
		JobExpire:           with(c.Expire),
		JobDeadline:         with(c.Deadline),
		JobSilence:          with(c.Silence),
		JobReview:           with(c.Review),
		JobPlace:            with(c.TellQueue),
		JobLapse:            with(c.Lapse),
		queue.JobOffer:      c.offer,
		queue.JobFill:       c.fillQueue,
		JobOutage:           func(ctx context.Context, _ job.Job) error { return c.Extend(ctx) },
		JobRefusal:          with(c.CountRefusal),
		JobCode:             c.deliverCode,
		JobForget:           c.forget,
		JobTell:             c.Tell,
		JobTogether:         with(c.LapseTogether),
		jobOffer:            c.Offer,
		register.JobChanged: c.Started,
	}
}
