// The AWS SDK for Go, version 2, with its transfer manager.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"forebay.invalid/tests/clients/served"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

type client struct {
	s3 *s3.Client
}

func (c *client) Connect(r served.Request) error {
	c.s3 = s3.New(s3.Options{
		BaseEndpoint: aws.String(r.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(r.AccessKey, r.SecretKey, ""),
		Region:       "us-east-1",
		UsePathStyle: true,
	})
	return nil
}

func (c *client) Upload(r served.Request) error {
	file, err := os.Open(r.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	input := &s3.PutObjectInput{
		Bucket:            &r.Bucket,
		Key:               &r.Key,
		Body:              file,
		Metadata:          r.Metadata,
		ChecksumAlgorithm: types.ChecksumAlgorithm(r.Checksum),
	}
	if r.PartSize == 0 {
		_, err = c.s3.PutObject(context.Background(), input)
		return err
	}
	uploader := manager.NewUploader(c.s3, func(u *manager.Uploader) { u.PartSize = r.PartSize })
	_, err = uploader.Upload(context.Background(), input)
	return err
}

func (c *client) Download(r served.Request) error {
	file, err := os.Create(r.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	downloader := manager.NewDownloader(c.s3)
	_, err = downloader.Download(context.Background(), file,
		&s3.GetObjectInput{Bucket: &r.Bucket, Key: &r.Key})
	return err
}

func (c *client) DownloadRange(r served.Request) error {
	reply, err := c.s3.GetObject(context.Background(), &s3.GetObjectInput{
		Bucket: &r.Bucket,
		Key:    &r.Key,
		Range:  aws.String(fmt.Sprintf("bytes=%d-%d", r.First, r.Last)),
	})
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(r.Path, data, 0o644)
}

func (c *client) List(r served.Request) ([]string, error) {
	keys := []string{}
	pages := s3.NewListObjectsV2Paginator(c.s3,
		&s3.ListObjectsV2Input{Bucket: &r.Bucket, Prefix: &r.Prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
	}
	return keys, nil
}

func (c *client) Copy(r served.Request) error {
	_, err := c.s3.CopyObject(context.Background(), &s3.CopyObjectInput{
		Bucket:     &r.Bucket,
		Key:        &r.To,
		CopySource: aws.String(r.Bucket + "/" + r.Key),
	})
	return err
}

func (c *client) Delete(r served.Request) error {
	if len(r.Keys) == 1 {
		_, err := c.s3.DeleteObject(context.Background(),
			&s3.DeleteObjectInput{Bucket: &r.Bucket, Key: &r.Keys[0]})
		return err
	}
	doomed := &types.Delete{}
	for _, key := range r.Keys {
		doomed.Objects = append(doomed.Objects, types.ObjectIdentifier{Key: aws.String(key)})
	}
	reply, err := c.s3.DeleteObjects(context.Background(),
		&s3.DeleteObjectsInput{Bucket: &r.Bucket, Delete: doomed})
	if err == nil && len(reply.Errors) > 0 {
		err = fmt.Errorf("%d of %d not deleted", len(reply.Errors), len(r.Keys))
	}
	return err
}

func (c *client) MakeBucket(r served.Request) error {
	_, err := c.s3.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &r.Bucket})
	return err
}

func (c *client) RemoveBucket(r served.Request) error {
	_, err := c.s3.DeleteBucket(context.Background(), &s3.DeleteBucketInput{Bucket: &r.Bucket})
	return err
}

func (c *client) Presign(r served.Request) (string, error) {
	signed, err := s3.NewPresignClient(c.s3).PresignGetObject(context.Background(),
		&s3.GetObjectInput{Bucket: &r.Bucket, Key: &r.Key})
	if err != nil {
		return "", err
	}
	return signed.URL, nil
}

func (c *client) Code(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return ""
}

func main() {
	served.Serve(&client{})
}
