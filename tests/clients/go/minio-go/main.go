// minio-go, the client library of MinIO.
package main

import (
	"context"
	"io"
	"net/url"
	"os"
	"time"

	"forebay.invalid/tests/clients/served"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type client struct {
	s3 *minio.Client
}

var checksums = map[string]minio.ChecksumType{
	"CRC32":     minio.ChecksumCRC32,
	"CRC32C":    minio.ChecksumCRC32C,
	"SHA1":      minio.ChecksumSHA1,
	"SHA256":    minio.ChecksumSHA256,
	"CRC64NVME": minio.ChecksumCRC64NVME,
}

func (c *client) Connect(r served.Request) error {
	endpoint, err := url.Parse(r.Endpoint)
	if err != nil {
		return err
	}
	c.s3, err = minio.New(endpoint.Host, &minio.Options{
		Creds:           credentials.NewStaticV4(r.AccessKey, r.SecretKey, ""),
		Secure:          endpoint.Scheme == "https",
		Region:          "us-east-1",
		TrailingHeaders: true,
	})
	return err
}

func (c *client) Upload(r served.Request) error {
	options := minio.PutObjectOptions{UserMetadata: r.Metadata, DisableMultipart: r.PartSize == 0}
	if r.PartSize > 0 {
		options.PartSize = uint64(r.PartSize)
	}
	if r.Checksum != "" {
		options.Checksum = checksums[r.Checksum]
	}
	_, err := c.s3.FPutObject(context.Background(), r.Bucket, r.Key, r.Path, options)
	return err
}

func (c *client) Download(r served.Request) error {
	options := minio.GetObjectOptions{Checksum: true}
	return c.s3.FGetObject(context.Background(), r.Bucket, r.Key, r.Path, options)
}

func (c *client) DownloadRange(r served.Request) error {
	options := minio.GetObjectOptions{}
	if err := options.SetRange(r.First, r.Last); err != nil {
		return err
	}
	object, err := c.s3.GetObject(context.Background(), r.Bucket, r.Key, options)
	if err != nil {
		return err
	}
	defer object.Close()
	data, err := io.ReadAll(object)
	if err != nil {
		return err
	}
	return os.WriteFile(r.Path, data, 0o644)
}

func (c *client) List(r served.Request) ([]string, error) {
	keys := []string{}
	options := minio.ListObjectsOptions{Prefix: r.Prefix, Recursive: true}
	for object := range c.s3.ListObjects(context.Background(), r.Bucket, options) {
		if object.Err != nil {
			return nil, object.Err
		}
		keys = append(keys, object.Key)
	}
	return keys, nil
}

func (c *client) Copy(r served.Request) error {
	_, err := c.s3.CopyObject(context.Background(),
		minio.CopyDestOptions{Bucket: r.Bucket, Object: r.To},
		minio.CopySrcOptions{Bucket: r.Bucket, Object: r.Key})
	return err
}

func (c *client) Delete(r served.Request) error {
	ctx := context.Background()
	if len(r.Keys) == 1 {
		return c.s3.RemoveObject(ctx, r.Bucket, r.Keys[0], minio.RemoveObjectOptions{})
	}
	objects := make(chan minio.ObjectInfo, len(r.Keys))
	for _, key := range r.Keys {
		objects <- minio.ObjectInfo{Key: key}
	}
	close(objects)
	for failed := range c.s3.RemoveObjects(ctx, r.Bucket, objects, minio.RemoveObjectsOptions{}) {
		return failed.Err
	}
	return nil
}

func (c *client) MakeBucket(r served.Request) error {
	return c.s3.MakeBucket(context.Background(), r.Bucket, minio.MakeBucketOptions{})
}

func (c *client) RemoveBucket(r served.Request) error {
	return c.s3.RemoveBucket(context.Background(), r.Bucket)
}

func (c *client) Presign(r served.Request) (string, error) {
	signed, err := c.s3.PresignedGetObject(context.Background(), r.Bucket, r.Key, time.Hour, nil)
	if err != nil {
		return "", err
	}
	return signed.String(), nil
}

func (c *client) Code(err error) string {
	return minio.ToErrorResponse(err).Code
}

func main() {
	served.Serve(&client{})
}
