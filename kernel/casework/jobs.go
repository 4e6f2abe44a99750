package casework

import (
	"context"

	"yagona/kernel/job"
	"yagona/kernel/queue"
	"yagona/kernel/register"
)

// Handlers returns the handlers of the jobs that casework does itself, by kind. JobPay, JobFee, JobUnpaid and
// register.JobWrite are done by whoever keeps accounts and registers.
func (c *Casework) Handlers() map[string]job.Handler {
	return map[string]job.Handler{
		JobGather:           job.With(c.Gather),
		JobExpire:           job.With(c.Expire),
		JobDeadline:         job.With(c.Deadline),
		JobSilence:          job.With(c.Silence),
		JobReview:           job.With(c.Review),
		JobPlace:            job.With(c.TellQueue),
		JobLapse:            job.With(c.Lapse),
		queue.JobOffer:      job.With(c.offer),
		queue.JobFill:       job.With(c.fillQueue),
		JobOutage:           func(ctx context.Context, _ job.Job) error { return c.Extend(ctx) },
		JobRefusal:          job.With(c.CountRefusal),
		JobCode:             job.With(c.deliverCode),
		JobForget:           job.With(c.forget),
		JobTell:             job.With(c.Tell),
		JobTogether:         job.With(c.LapseTogether),
		jobOffer:            job.With(c.Offer),
		register.JobChanged: job.With(c.Started),
	}
}
