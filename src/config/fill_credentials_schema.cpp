#include "config/fill_credentials_schema.hpp"

#include "config/access.hpp"

namespace forebay::config {
namespace {

using origin::NodeCredentialsConfig;

template <auto Member>
Access member() {
  return field<&Config::fill_credentials, Member>();
}

std::vector<Key> issued_keys() {
  return {
      {.name = "origin.fill_credentials.role_arn",
       .type = Type::text,
       .help = "web_identity: the role to assume. Empty: what AWS_ROLE_ARN says.",
       .access = member<&NodeCredentialsConfig::role_arn>(),
       .bounds = {0, 2'048}},
      {.name = "origin.fill_credentials.token_file",
       .type = Type::path,
       .help = "web_identity: the token, read anew each time. Empty: what "
               "AWS_WEB_IDENTITY_TOKEN_FILE says.",
       .access = member<&NodeCredentialsConfig::token_file>()},
      {.name = "origin.fill_credentials.session_name",
       .type = Type::text,
       .help = "web_identity: what the service's logs call this node.",
       .access = member<&NodeCredentialsConfig::session_name>(),
       .bounds = {2, 64}},
      {.name = "origin.fill_credentials.sts_endpoint",
       .type = Type::url,
       .help = "web_identity: the token service; https, but for loopback. Empty: that of AWS in "
               "origin.region.",
       .access = member<&NodeCredentialsConfig::sts_endpoint>()},
      {.name = "origin.fill_credentials.metadata_endpoint",
       .type = Type::url,
       .help = "instance_metadata: where IMDSv2 answers.",
       .access = member<&NodeCredentialsConfig::metadata_endpoint>(),
       .bounds = {.min = 1}},
      {.name = "origin.fill_credentials.ca_file",
       .type = Type::path,
       .help = "web_identity, container: PEM, the authorities that an https endpoint is checked "
               "against. Empty: the system's.",
       .access = member<&NodeCredentialsConfig::ca_file>()},
  };
}

}  // namespace

std::vector<Key> fill_credentials_keys() {
  std::vector<Key> keys{
      {.name = "origin.fill_credentials.source",
       .type = Type::enumeration,
       .help = "The node's own key pair, which fills are signed with in auth.mode passthrough. "
               "static: access_key and secret_key here. environment: AWS_ACCESS_KEY_ID, "
               "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. file: a profile of a shared credentials "
               "file. web_identity: AssumeRoleWithWebIdentity. container: what "
               "AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI name (ECS, EKS Pod Identity). "
               "instance_metadata: IMDSv2. The last three are renewed before they expire.",
       .access = member<&NodeCredentialsConfig::source>(),
       .choices = names_of<origin::CredentialSource>()},
      {.name = "origin.fill_credentials.access_key",
       .type = Type::text,
       .help = "static.",
       .access = member<&NodeCredentialsConfig::access_key>(),
       .bounds = {0, 256},
       .secret = true},
      {.name = "origin.fill_credentials.secret_key",
       .type = Type::text,
       .help = "static. Never printed.",
       .access = member<&NodeCredentialsConfig::secret_key>(),
       .bounds = {0, 256},
       .secret = true},
      {.name = "origin.fill_credentials.session_token",
       .type = Type::text,
       .help = "static: of temporary credentials. Never printed.",
       .access = member<&NodeCredentialsConfig::session_token>(),
       .bounds = {0, 16 * 1'024},
       .secret = true},
      {.name = "origin.fill_credentials.file",
       .type = Type::path,
       .help = "file: aws_access_key_id, aws_secret_access_key and aws_session_token under "
               "[profile]. Refused when world-readable or group-writable.",
       .access = member<&NodeCredentialsConfig::file>(),
       .reload = true},
      {.name = "origin.fill_credentials.profile",
       .type = Type::text,
       .help = "file: which one.",
       .access = member<&NodeCredentialsConfig::profile>(),
       .bounds = {1, 256}},
  };
  for (Key& key : issued_keys())
    keys.push_back(std::move(key));
  return keys;
}

}  // namespace forebay::config
