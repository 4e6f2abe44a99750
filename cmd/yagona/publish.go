package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/kernel/signature"
	"yagona/web/route"
)

// keyFile is a publisher's key as it stands in a file of their own. Whoever has it publishes in their name.
type keyFile struct {
	ID     string            `json:"id"`
	Public ed25519.PublicKey `json:"public"`
	Seed   []byte            `json:"seed"` // 32 bytes: keep it secret
}

// readKeyFile reads a publisher's key.
func readKeyFile(path string) (ed25519.PrivateKey, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var stored keyFile
	if err := json.Unmarshal(content, &stored); err != nil || len(stored.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not a publisher's key; make one with yagona pack keygen", path)
	}
	private := ed25519.NewKeyFromSeed(stored.Seed)
	if !stored.Public.Equal(private.Public()) || stored.ID != signature.KeyID(stored.Public) {
		return nil, fmt.Errorf("%s: the key's halves do not belong together: the file was changed; take the right one", path)
	}
	return private, nil
}

type packKeygenCommand struct {
	File string `arg:"" help:"Where to write the key."`
}

// Run makes a key.
func (c packKeygenCommand) Run(terminal terminal) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(keyFile{signature.KeyID(public), public, private.Seed()}, "", "\t")
	if err != nil {
		return err
	}
	if err := writeNewFile(c.File, append(content, '\n')); err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "key %s\npublic %s\n", signature.KeyID(public), encodeKey(public))
	return nil
}

// writeNewFile writes a file that only its owner reads, and never over another.
func writeNewFile(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// remote is a running node and the key of whoever speaks to it.
type remote struct {
	Node *url.URL `required:"" placeholder:"URL" help:"Address of the running node."`
	Key  string   `required:"" type:"existingfile" placeholder:"FILE" help:"The key that signs, from yagona pack keygen."`
}

// call sends a request to the node's API and decodes its answer.
func (r remote) call(ctx context.Context, method, path string, request, answer any) error {
	return call(ctx, r.Node, "", time.Minute, method, path, request, answer)
}

// call sends a request to a node's API, in the session of a token if there is one, and decodes its answer.
func call(ctx context.Context, node *url.URL, token string, within time.Duration, method, path string, request, answer any) error {
	var body io.Reader
	if request != nil {
		encoded, err := json.Marshal(request)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	call, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(node.String(), "/")+"/api/v1"+path, body)
	if err != nil {
		return usageError{err}
	}
	call.Header.Set("Accept", "application/json")
	call.Header.Set("Accept-Language", "en")
	if request != nil {
		call.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		call.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(call)
	if err != nil {
		return fmt.Errorf("the node cannot be reached: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("the node's answer cannot be read: %w", err)
	}
	if response.StatusCode >= 300 {
		if problem, ok := route.ReadProblem(response.Header.Get("Content-Type"), content); ok {
			return fmt.Errorf("the node refused: %s", problem.Detail)
		}
		return fmt.Errorf("the node answered %s; is %s its address?", response.Status, node)
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("the node's answer is not what its API promises: %w", err)
	}
	return nil
}

// sign signs a message with the key file.
func (r remote) sign(message []byte) (signature.Signature, error) {
	private, err := readKeyFile(r.Key)
	if err != nil {
		return signature.Signature{}, err
	}
	return signature.Signature{
		Key: signature.KeyID(private.Public().(ed25519.PublicKey)), Bytes: ed25519.Sign(private, message),
	}, nil
}

// published is what the node tells of a publication.
type published struct {
	ID     ident.Publication `json:"id"`
	Pack   string            `json:"pack"`
	Digest string            `json:"digest"`
	State  publication.State `json:"state"`
}

type packPublishCommand struct {
	Folder string `arg:"" name:"dir" help:"The pack's folder."`
	remote
	Agency string `required:"" help:"The agency in whose name you publish."`
}

// Run proposes the pack.
func (c packPublishCommand) Run(ctx context.Context, terminal terminal) error {
	source, err := packSource(c.Folder)
	if err != nil {
		return err
	}
	files := publication.Bundle{}
	err = fs.WalkDir(source.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		files[path], err = fs.ReadFile(source.FS, path)
		return err
	})
	if err != nil {
		return err
	}
	proposal := publication.Proposal{
		Pack: packName(source), Agency: ident.Agency(c.Agency), Files: files, Published: time.Now().UTC().Truncate(time.Second),
	}
	if proposal.Signature, err = c.sign(proposal.Message()); err != nil {
		return err
	}
	var answer published
	if err := c.call(ctx, http.MethodPost, "/publications", proposal, &answer); err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s (%s)\nA second publisher approves it: yagona pack approve %s --node %s --key FILE\n",
		answer.State, answer.ID, answer.Digest, answer.ID, c.Node)
	return nil
}

// settlement is what approve and reject have in common.
type settlement struct {
	ID string `arg:"" help:"The publication."`
	remote
	Digest string `placeholder:"SHA-256" help:"What the pack's digest must be; else it is shown and signed as the node tells it."`
}

func (s settlement) settle(ctx context.Context, terminal terminal, approve bool) error {
	var all struct {
		Items []published `json:"items"`
	}
	if err := s.call(ctx, http.MethodGet, "/publications", nil, &all); err != nil {
		return err
	}
	for _, one := range all.Items {
		if string(one.ID) != s.ID {
			continue
		}
		if s.Digest != "" && s.Digest != one.Digest {
			return fmt.Errorf("the node has the digest %s of it, not %s: nothing was signed", one.Digest, s.Digest)
		}
		made, err := s.sign(publication.ApprovalMessage(one.ID, one.Digest, approve))
		if err != nil {
			return err
		}
		verb := "reject"
		if approve {
			verb = "approve"
		}
		request := struct {
			Signature signature.Signature `json:"signature"`
		}{made}
		var answer published
		if err := s.call(ctx, http.MethodPost, "/publications/"+url.PathEscape(s.ID)+"/"+verb, request, &answer); err != nil {
			return err
		}
		fmt.Fprintf(terminal.Out, "%s %s: %s\n", answer.State, answer.ID, answer.Pack)
		return nil
	}
	return fmt.Errorf("the node has no publication %s", s.ID)
}

type packApproveCommand struct{ settlement }

// Run approves a proposal.
func (c packApproveCommand) Run(ctx context.Context, terminal terminal) error {
	return c.settle(ctx, terminal, true)
}

type packRejectCommand struct{ settlement }

// Run rejects a proposal.
func (c packRejectCommand) Run(ctx context.Context, terminal terminal) error {
	return c.settle(ctx, terminal, false)
}

type packCloseCommand struct {
	Service string `arg:"" help:"The service: pack/service."`
	Version string `arg:"" help:"The version's hash."`
	remote
	Agency string `required:"" help:"The agency in whose name you close it."`
	Reason string `required:"" help:"Why; it is kept and shown."`
}

// closure is what closes a version.
type closure struct {
	Service   ident.Service       `json:"service"`
	Agency    ident.Agency        `json:"agency"`
	Version   string              `json:"version"`
	Reason    string              `json:"reason"`
	Signature signature.Signature `json:"signature"`
}

// Run closes a version.
func (c packCloseCommand) Run(ctx context.Context, terminal terminal) error {
	request := closure{Service: ident.Service(c.Service), Agency: ident.Agency(c.Agency), Version: c.Version, Reason: c.Reason}
	var err error
	request.Signature, err = c.sign(publication.ClosureMessage(request.Service, request.Version, request.Reason))
	if err != nil {
		return err
	}
	var answer struct{}
	if err := c.call(ctx, http.MethodPost, "/closures", request, &answer); err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "closed %s %s\n", c.Service, c.Version)
	return nil
}
