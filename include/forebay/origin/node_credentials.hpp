#pragma once
// The node's own key pair toward the origin: from the configuration, from a file, or issued for a
// while and then renewed.
#include <forebay/base/result.hpp>
#include <forebay/base/secret.hpp>
#include <forebay/runtime/worker.hpp>
#include <forebay/s3/sigv4.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace forebay::origin {

enum class CredentialSource {
  none,
  fixed,              ///< In the configuration.
  environment,        ///< AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
  file,               ///< A shared credentials file.
  web_identity,       ///< A token file, exchanged at a security token service.
  container,          ///< The endpoint that ECS and EKS Pod Identity name in the environment.
  instance_metadata,  ///< The instance's role, by IMDSv2.
};

struct NodeCredentialsConfig {
  CredentialSource source = CredentialSource::none;

  // CredentialSource::fixed
  std::string access_key;
  Secret secret_key;
  Secret session_token;

  // CredentialSource::file
  std::string file;
  std::string profile = "default";

  // CredentialSource::web_identity. Empty: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, and the
  // service of AWS in `region`.
  std::string role_arn;
  std::string token_file;
  std::string session_name = "forebay";
  std::string sts_endpoint;
  std::string region = "us-east-1";

  std::string metadata_endpoint = "http://169.254.169.254";  ///< instance_metadata
  std::string ca_file;  ///< PEM, for endpoints with https; empty: the system's.
};

/// What is not decided by the configuration. Any thread.
struct Surroundings {
  std::function<std::string(const char* name)> variable;  ///< Of the environment; "" where unset.
  std::function<std::chrono::sys_seconds()> now;
  std::function<double()> random;  ///< In [0, 1).

  /// This process's own.
  static Surroundings real();
};

/// current() on any thread; poll() on one that is no worker's.
class NodeCredentials {
 public:
  /// Errc::invalid_config, logged, where the source lacks what it needs.
  static Result<std::unique_ptr<NodeCredentials>> create(
      const NodeCredentialsConfig& config, Surroundings surroundings = Surroundings::real());
  virtual ~NodeCredentials() = default;

  /// Null where there are none to be had now: none configured, not obtained yet, or expired.
  virtual std::shared_ptr<const s3::Credential> current() const = 0;

  /// Begins what is due, as a task of a worker that ends within kRefreshTimeout; about once a
  /// second. What was obtained before stays until it expires.
  virtual void poll(runtime::WorkerPool& workers) = 0;

  static constexpr milliseconds kRefreshTimeout{5'000};
};

}  // namespace forebay::origin
