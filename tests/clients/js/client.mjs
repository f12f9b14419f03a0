// The AWS SDK for JavaScript, version 3, behind standard input: a line of JSON asks, a line of JSON
// answers, {"ok": value} or {"error": code, "message": text}. tests/support/clients.py asks.
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import * as aws from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

let s3;

async function save(bucket, key, path, range) {
  const reply = await s3.send(new aws.GetObjectCommand({ Bucket: bucket, Key: key, Range: range }));
  await pipeline(reply.Body, createWriteStream(path));
}

const operations = {
  connect({ endpoint, access_key, secret_key }) {
    s3 = new aws.S3Client({
      endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: access_key, secretAccessKey: secret_key },
    });
  },

  async upload({ bucket, key, path, part_size, checksum, metadata }) {
    const params = { Bucket: bucket, Key: key, Body: createReadStream(path), Metadata: metadata };
    if (checksum) params.ChecksumAlgorithm = checksum;
    if (part_size) {
      await new Upload({ client: s3, params, partSize: part_size }).done();
    } else {
      params.ContentLength = statSync(path).size;
      await s3.send(new aws.PutObjectCommand(params));
    }
  },

  download: ({ bucket, key, path }) => save(bucket, key, path),

  download_range: ({ bucket, key, path, first, last }) =>
    save(bucket, key, path, `bytes=${first}-${last}`),

  async list({ bucket, prefix }) {
    const keys = [];
    const pages = aws.paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix });
    for await (const page of pages) {
      keys.push(...(page.Contents ?? []).map((item) => item.Key));
    }
    return keys;
  },

  async copy({ bucket, key, to }) {
    const source = `${bucket}/${encodeURIComponent(key)}`;
    await s3.send(new aws.CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source }));
  },

  async delete({ bucket, keys }) {
    if (keys.length === 1) {
      await s3.send(new aws.DeleteObjectCommand({ Bucket: bucket, Key: keys[0] }));
      return;
    }
    const doomed = { Objects: keys.map((key) => ({ Key: key })) };
    const reply = await s3.send(new aws.DeleteObjectsCommand({ Bucket: bucket, Delete: doomed }));
    if (reply.Errors?.length) throw new Error(`${reply.Errors.length} not deleted`);
  },

  make_bucket: ({ bucket }) => s3.send(new aws.CreateBucketCommand({ Bucket: bucket })),

  remove_bucket: ({ bucket }) => s3.send(new aws.DeleteBucketCommand({ Bucket: bucket })),

  presign: ({ bucket, key }) =>
    getSignedUrl(s3, new aws.GetObjectCommand({ Bucket: bucket, Key: key })),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let reply;
  try {
    const value = await operations[request.op](request);
    reply = { ok: typeof value === "string" || Array.isArray(value) ? value : null };
  } catch (error) {
    reply = { error: error.Code ?? error.name, message: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
