#pragma once
// One client connection: requests in, answers out, in order.
#include "proxy/shared.hpp"

#include <forebay/net/http_reader.hpp>
#include <forebay/net/http_writer.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/s3/claimed_signature.hpp>
#include <forebay/s3/operation.hpp>
#include <forebay/s3/payload.hpp>
#include <forebay/s3/sigv4.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::proxy {

/// A request that has been read, understood and authorised by this node.
struct Request {
  http::RequestHead head;  ///< As the client sent it.
  s3::Address address;
  http::Query query;
  s3::Operation operation = s3::Operation::other;
  origin::CallerPtr caller;
  http::BodyFraming body;
  /// Where it is passed on and its signature leaves no doubt.
  std::optional<s3::ClaimedSignature> claimed;
  s3::PayloadClaims claims;   ///< Of the body; none where the origin checks them (passed on).
  std::string body_prefix;    ///< What goes to the origin in place of what was read of the body.
  std::string origin_target;  ///< Path-style, strictly encoded, without presigning parameters; the
                              ///< client's own where it is passed on.

  bool has_body() const {
    return body.framing == http::Framing::chunked ||
           (body.framing == http::Framing::length && body.length != 0);
  }
  bool is_passed_on() const {
    return caller->authorization.kind == s3::Authorization::Kind::passed_on;
  }
  /// Of a body that the client signs chunk by chunk; none for every other.
  std::optional<s3::ChunkSigner> chunk_signer() const {
    if (!claims.is_signed_by_chunk())
      return std::nullopt;
    const s3::Authorization& signed_as = caller->authorization;
    return s3::ChunkSigner{caller->key->secret_key, signed_as.timestamp, signed_as.region,
                           signed_as.signature};
  }
  /// A browser's question whether a page may send the request that it announces. It carries no
  /// credentials (Fetch, "CORS-preflight request").
  bool is_preflight() const { return operation == s3::Operation::cors_preflight; }
  bool is_safe() const { return head.method == "GET" || head.method == "HEAD"; }
};

/// The access log's line in the making.
struct AccessRecord {
  std::string request_id;  ///< The one the client was told: the origin's where the origin answered.
  std::string_view operation = "-";
  std::string bucket;
  std::string key;
  std::string access_key;
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string_view cache = "-";
  TimePoint started = Clock::now();
};

/// One worker; lives in the coroutine that serves the connection.
class Session {
 public:
  Session(Shared& shared, std::unique_ptr<net::Stream> stream);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Until the connection is to be closed.
  Task<void> run();

  // For the paths (forward.cpp, read_path.cpp), which answer one request each.

  Shared& shared() { return shared_; }
  net::Stream& stream() { return *stream_; }
  net::HttpReader& reader() { return reader_; }
  AccessRecord& record() { return record_; }

  /// Ends the connection after this answer.
  void close_after_answer() { keep_alive_ = false; }
  /// Ends it without one, or in the middle: what was promised cannot be kept.
  void cut();
  /// An S3 error of our own.
  Task<void> answer_error(s3::Failure failure);
  /// A writer for the answer's head (framing fields, Connection and cache status are added here)
  /// and body. The client's version decides on chunked.
  Result<net::MessageWriter> begin_answer(http::ResponseHead head, http::BodyFraming body);
  /// Deadline for the next progress toward the client.
  Deadline send_deadline() const { return Deadline::after(shared_.config.send_timeout); }
  Deadline receive_deadline() const { return Deadline::after(shared_.config.receive_timeout); }

 private:
  Task<bool> one_request();
  Task<void> answer_unreadable(Error error);
  s3::Outcome<void> prepare(Request& request);
  s3::Outcome<void> prepare_framing(Request& request);
  s3::Outcome<void> prepare_target(Request& request);
  s3::Outcome<void> prepare_caller(Request& request);
  s3::Outcome<void> prepare_payload(Request& request);
  Task<void> dispatch(Request& request);
  Task<void> finish_request_body();
  void log_access() const;

  Shared& shared_;
  std::unique_ptr<net::Stream> stream_;
  net::HttpReader reader_;
  AccessRecord record_;
  bool keep_alive_ = true;
  bool cut_ = false;
  bool head_request_ = false;
  bool http_1_0_ = false;
  bool expects_continue_ =
      false;              ///< The client holds its body back, and has not been told to send it.
  std::string resource_;  ///< For error bodies.

 public:
  bool expects_continue() const { return expects_continue_; }
  void continue_sent() { expects_continue_ = false; }
};

/// Streams the request to the origin and the answer back (the write path, and every read that is
/// not answered from the cache).
Task<void> forward(Session& session, Request& request);
/// PostObject of a form whose policy this node verifies.
Task<void> post_object(Session& session, Request& request);
/// GetObject.
Task<void> read_object(Session& session, Request& request);
/// HeadObject: forwarded, and perhaps pre-staged.
Task<void> head_object(Session& session, Request& request);

}  // namespace forebay::proxy
