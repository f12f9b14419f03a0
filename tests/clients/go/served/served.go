// Package served puts one S3 client library behind standard input: a line of JSON asks, a line of
// JSON answers, {"ok": value} or {"error": code, "message": text}. tests/support/clients.py asks.
package served

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
)

// Request names an operation and holds the arguments that it takes.
type Request struct {
	Op        string
	Endpoint  string
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	Bucket    string
	Key       string
	Keys      []string
	To        string
	Path      string
	Prefix    string
	PartSize  int64 `json:"part_size"`
	First     int64
	Last      int64
	Checksum  string
	Metadata  map[string]string
}

// Client is what a library must be able to do.
type Client interface {
	Connect(Request) error
	Upload(Request) error
	Download(Request) error
	DownloadRange(Request) error
	List(Request) ([]string, error)
	Copy(Request) error
	Delete(Request) error
	MakeBucket(Request) error
	RemoveBucket(Request) error
	Presign(Request) (string, error)
	Code(error) string
}

var errUnknown = errors.New("no such operation")

func answer(client Client, request Request) (any, error) {
	switch request.Op {
	case "connect":
		return nil, client.Connect(request)
	case "upload":
		return nil, client.Upload(request)
	case "download":
		return nil, client.Download(request)
	case "download_range":
		return nil, client.DownloadRange(request)
	case "list":
		return client.List(request)
	case "copy":
		return nil, client.Copy(request)
	case "delete":
		return nil, client.Delete(request)
	case "make_bucket":
		return nil, client.MakeBucket(request)
	case "remove_bucket":
		return nil, client.RemoveBucket(request)
	case "presign":
		return client.Presign(request)
	}
	return nil, errUnknown
}

// Serve answers until standard input ends.
func Serve(client Client) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	replies := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var request Request
		err := json.Unmarshal(lines.Bytes(), &request)
		var value any
		if err == nil {
			value, err = answer(client, request)
		}
		reply := map[string]any{"ok": value}
		if err != nil {
			reply = map[string]any{"error": client.Code(err), "message": err.Error()}
		}
		if err := replies.Encode(reply); err != nil {
			panic(err)
		}
	}
}
