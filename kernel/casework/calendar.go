package casework

import (
	"context"
	"time"
)

// DueAfter returns when it is too late for something that has so many working days from when it was received, with
// declared outages taken into account.
func (c *Casework) DueAfter(ctx context.Context, received time.Time, days int) (time.Time, error) {
	calendar, err := c.calendarWithOutages(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return calendar.Deadline(received, days), nil
}
