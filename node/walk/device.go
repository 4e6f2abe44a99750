package walk

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"slices"
	"strconv"
	"time"

	"yagona/kernel/ident"
)

// offlinePath is where devices send what was done without a connection.
const offlinePath = "/desk/offline"

// sentAct is what a device wrote down without a connection, as it sends it, with the digest that it took then.
type sentAct struct {
	Statement string `json:"statement"`
	Digest    string `json:"digest"`
}

// arrived is what the installation says of it.
type arrived struct {
	Act   string `json:"act"`
	Late  bool   `json:"late"`
	Draft string `json:"draft"`
}

// writeDown writes down what an official does without a connection, as their device would.
func writeDown(ctx context.Context, official *Client, made time.Time, said map[string]any) (act string, sent sentAct, err error) {
	posts, err := held(ctx, official)
	if err != nil {
		return "", sent, err
	}
	if len(posts) != 1 {
		return "", sent, fmt.Errorf("%s holds %d posts: the device would ask which", official.Name, len(posts))
	}
	act = ident.New[string](made)
	said["act"], said["by"], said["made"], said["salt"] = act, posts[0].ID, made.UTC(), rand.Text()+rand.Text()
	statement, err := json.Marshal(said)
	digest := sha256.Sum256(statement)
	return act, sentAct{string(statement), hex.EncodeToString(digest[:])}, err
}

// send sends what was written down.
func send(ctx context.Context, official *Client, sent sentAct) (got arrived, err error) {
	return got, official.Post(ctx, offlinePath+"/acts", sent, &got)
}

// takenTask is a task that a device took along.
type takenTask struct {
	Task     string `json:"task"`
	Revision int64  `json:"revision"`
}

// takeAlong takes the official's tasks along.
func takeAlong(ctx context.Context, official *Client) (tasks []takenTask, err error) {
	var taken struct {
		Tasks []takenTask `json:"tasks"`
	}
	return taken.Tasks, official.Post(ctx, offlinePath+"/tasks", nil, &taken)
}

// photograph draws a photo as a camera would make it, so that no picture lies in the program.
func photograph() ([]byte, error) {
	picture := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			picture.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var file bytes.Buffer
	err := jpeg.Encode(&file, picture, nil)
	return file.Bytes(), err
}

// sendPhoto sends a photo of a task in pieces, the second piece twice, as after a cut, and returns its id and how many
// pieces it had.
func sendPhoto(ctx context.Context, official *Client, task string, file []byte) (photo string, pieces int, err error) {
	posts, err := held(ctx, official)
	if err != nil {
		return "", 0, err
	}
	photo = ident.New[string](time.Now())
	path := fmt.Sprintf("%s/photos/%s/%s/%s", offlinePath, posts[0].ID, task, photo)
	digest := sha256.Sum256(file)
	_, err = official.Send(ctx, http.MethodPut, path, map[string]any{
		"size": len(file), "digest": hex.EncodeToString(digest[:]), "made": time.Now().UTC(),
		"position": map[string]float64{"latitude": 40.7, "longitude": 72.3, "accuracy": 12},
	})
	start := 0
	for piece := range slices.Chunk(file, 1+len(file)/3) {
		sum := sha256.Sum256(piece)
		for range 1 + pieces%2 {
			if err != nil {
				return "", 0, err
			}
			err = official.patch(ctx, path, piece, map[string]string{
				"Upload-Offset": strconv.Itoa(start), "Upload-Checksum": "sha256 " + base64.StdEncoding.EncodeToString(sum[:]),
			})
		}
		start += len(piece)
		pieces++
	}
	return photo, pieces, err
}

// patch sends a piece of a file.
func (c *Client) patch(ctx context.Context, path string, piece []byte, header map[string]string) error {
	address, err := c.site.Parse(path)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, address.String(), bytes.NewReader(piece))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/offset+octet-stream")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	_, err = c.do(request)
	return err
}
