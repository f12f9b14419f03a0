#pragma once
// The services that issue key pairs to this node.
#include "origin/credential_documents.hpp"

#include <forebay/base/result.hpp>
#include <forebay/origin/node_credentials.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <memory>

namespace forebay::origin {

/// One service. Used by one task at a time, on any worker.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;

  /// A new pair, or the one that is still the service's newest.
  virtual Task<Fetched<IssuedCredential>> fetch(Deadline deadline) = 0;
};

// Errc::invalid_config, logged, where something is missing.
Result<std::unique_ptr<CredentialProvider>> make_web_identity(const NodeCredentialsConfig& config,
                                                              const Surroundings& surroundings);
Result<std::unique_ptr<CredentialProvider>> make_container(const NodeCredentialsConfig& config,
                                                           const Surroundings& surroundings);
Result<std::unique_ptr<CredentialProvider>> make_instance_metadata(
    const NodeCredentialsConfig& config);

/// Whether a container's token or the pair itself may travel there in the clear: loopback, and the
/// link-local addresses of ECS and EKS. Pure.
bool is_trusted_without_tls(std::string_view host);

}  // namespace forebay::origin
