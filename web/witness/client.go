package witness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"yagona/std/c2sp"
)

// maxAnswer is how much of a witness's answer is read.
const maxAnswer = 64 << 10

// Client asks a witness over HTTP. It is the Witness that package kernel/transparency asks for.
type Client struct {
	prefix string
	key    *c2sp.CosignatureVerifier
	client *http.Client
}

// NewClient returns a client of the witness with the key whose submission prefix is the URL.
func NewClient(prefix string, key *c2sp.CosignatureVerifier, client *http.Client) *Client {
	return &Client{strings.TrimSuffix(prefix, "/"), key, client}
}

// Verifier returns the witness's key.
func (c *Client) Verifier() *c2sp.CosignatureVerifier { return c.key }

// Cosign submits a checkpoint and returns the body of the answer 200; any other answer is a *c2sp.Refusal.
func (c *Client) Cosign(ctx context.Context, request c2sp.AddCheckpoint) ([]byte, error) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.prefix+"/add-checkpoint", bytes.NewReader(request.Bytes()))
	if err != nil {
		return nil, err
	}
	post.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := c.client.Do(post)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of witness %s: %w", c.key.Name(), err)
	}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	refusal := &c2sp.Refusal{Status: response.StatusCode, Size: -1, Reason: strings.TrimSpace(string(body))}
	if size, err := c2sp.ParseSize(body); err == nil && response.StatusCode == http.StatusConflict {
		refusal.Size = size
	}
	return nil, refusal
}
