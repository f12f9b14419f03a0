#include "origin/credential_provider.hpp"

#include "origin/connection_pool.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/file.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/secret.hpp>
#include <forebay/base/secret_file.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/origin/client.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace forebay::origin {
namespace {

constexpr int kOk = 200;

struct Answer {
  int status = 0;
  Secret body;
};

Problem failed(std::string_view what, const Error& error) {
  return {fmt::format("{}: {}", what, error.message())};
}

http::RequestHead request(std::string method, std::string target) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

/// Into one piece of memory from the start, so that none is given back before it is erased.
Task<Result<Secret>> read_body(Exchange& exchange, Deadline deadline) {
  std::string body(kCredentialDocumentSizeMax + 1, '\0');
  const WipeAtEnd wiped{body};
  std::size_t size = 0;
  while (size <= kCredentialDocumentSizeMax) {
    const auto rest = std::as_writable_bytes(std::span{body}).subspan(size);
    CO_TRY(const std::size_t got, co_await exchange.read_body(rest, deadline));
    if (got == 0) {
      body.resize(size);
      co_return Secret{std::move(body)};
    }
    size += got;
  }
  co_return Errc::too_large;
}

/// One request and the whole answer. `body` goes with a Content-Length that the head must have.
Task<Result<Answer>> exchange_once(Client& client, http::RequestHead head, Secret body,
                                   Deadline deadline) {
  constexpr int kContinue = 100;
  constexpr int kInterimMax = 8;
  // Nothing is asked for an hour afterwards: no connection is kept.
  client.stop();
  CO_TRY(auto exchange, co_await client.send(std::move(head), Reason::credentials, deadline));
  if (!body.empty()) {
    CO_TRY(co_await exchange->write_body(std::as_bytes(std::span{body.str()}), deadline));
    CO_TRY(co_await exchange->finish_body(deadline));
  }
  for (int interim = 0; interim < kInterimMax; ++interim) {
    CO_TRY(const http::ResponseHead answer, co_await exchange->read_head(deadline));
    if (answer.status == kContinue)
      continue;
    CO_TRY(Secret text, co_await read_body(*exchange, deadline));
    co_return Answer{answer.status, std::move(text)};
  }
  co_return Errc::protocol;
}

/// The body of a successful answer. `who` is for the log.
Task<Fetched<Secret>> ask(Client& client, http::RequestHead head, const char* who,
                          Deadline deadline) {
  const Secret nothing;
  auto answer = co_await exchange_once(client, std::move(head), nothing, deadline);
  if (!answer)
    co_return failed(who, answer.error());
  if (answer.value().status != kOk)
    co_return Problem{fmt::format("{} answers {}", who, answer.value().status)};
  co_return std::move(answer).value().body;
}

/// The first line of a token file: these are mounted anew now and then.
Fetched<Secret> read_token(const std::string& path) {
  constexpr std::size_t kTokenSizeMax = 32 * KiB;
  // Whoever issues the token decides on its mode: Kubernetes mounts one with 0644 into a pod that
  // sets neither runAsUser nor fsGroup.
  auto text = read_file(path, kTokenSizeMax);
  if (!text)
    return failed(fmt::format("token file {}", path), text.error());
  std::string token = std::move(text).value();
  const WipeAtEnd wiped{token};
  token.erase(
      std::find_if_not(token.rbegin(), token.rend(), [](char c) { return c == '\n' || c == '\r'; })
          .base(),
      token.end());
  if (token.empty() || token.size() > kTokenSizeMax)
    return Problem{fmt::format("token file {}: empty or too large", path)};
  return Secret{std::move(token)};
}

Result<std::unique_ptr<Client>> make_client(std::string endpoint,
                                            const NodeCredentialsConfig& config) {
  OriginConfig origin;
  origin.endpoint = std::move(endpoint);
  origin.region = config.region;
  origin.ca_file = config.ca_file;
  origin.max_connections = 1;
  origin.connect_timeout = NodeCredentials::kRefreshTimeout;
  return Client::create(origin);
}

bool is_loopback(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (address && host.starts_with("127."));
}

Result<void> require(std::string_view value, std::string_view what) {
  if (!value.empty())
    return success();
  log::get("origin").error("origin.fill_credentials: {} is missing", what);
  return Errc::invalid_config;
}

Result<void> refuse(std::string_view why) {
  log::get("origin").error("origin.fill_credentials: {}", why);
  return Errc::invalid_config;
}

std::string aws_sts(const std::string& region) {
  return fmt::format("https://sts.{}.amazonaws.com{}", region,
                     region.starts_with("cn-") ? ".cn" : "");
}

/// AssumeRoleWithWebIdentity, AWS Security Token Service API Reference.
class WebIdentity final : public CredentialProvider {
 public:
  struct Role {
    std::string arn;
    std::string session_name;
    std::string token_file;
  };

  WebIdentity(std::unique_ptr<Client> client, Role role)
      : client_{std::move(client)}, role_{std::move(role)} {}

  Task<Fetched<IssuedCredential>> fetch(Deadline deadline) override {
    CO_TRY(const Secret token, read_token(role_.token_file));
    Secret body = form(token);
    http::RequestHead head = request("POST", "/");
    head.headers.add("Content-Type", "application/x-www-form-urlencoded");
    head.headers.add("Content-Length", std::to_string(body.size()));
    auto answer = co_await exchange_once(*client_, std::move(head), std::move(body), deadline);
    if (!answer)
      co_return failed("the token service", answer.error());
    if (answer.value().status != kOk)
      co_return Problem{fmt::format("the token service answers {} {}", answer.value().status,
                                    sts_error_code(answer.value().body))};
    co_return parse_sts_answer(answer.value().body);
  }

 private:
  Secret form(const Secret& token) const {
    http::Query parameters{{"Action", "AssumeRoleWithWebIdentity"},
                           {"Version", "2011-06-15"},
                           {"RoleArn", role_.arn},
                           {"RoleSessionName", role_.session_name},
                           {"WebIdentityToken", token.str()}};
    const WipeAtEnd wiped{parameters.back().value};
    return http::format_query(parameters);
  }

  std::unique_ptr<Client> client_;
  Role role_;
};

/// The endpoint that a container's environment names.
class Container final : public CredentialProvider {
 public:
  struct Access {
    std::string target;
    Secret token;            ///< Sent where there is no token_file; may be empty, too.
    std::string token_file;  ///< May be empty.
  };

  Container(std::unique_ptr<Client> client, Access access)
      : client_{std::move(client)}, access_{std::move(access)} {}

  Task<Fetched<IssuedCredential>> fetch(Deadline deadline) override {
    Secret token = access_.token;
    if (!access_.token_file.empty()) {
      CO_TRY(token, read_token(access_.token_file));
    }
    http::RequestHead head = request("GET", access_.target);
    if (!token.empty())
      head.headers.add("Authorization", token.str());
    CO_TRY(const Secret body,
           co_await ask(*client_, std::move(head), "the container's endpoint", deadline));
    co_return parse_json_answer(body);
  }

 private:
  std::unique_ptr<Client> client_;
  Access access_;
};

/// IMDSv2: a token first, so that a forwarded GET alone obtains nothing.
class InstanceMetadata final : public CredentialProvider {
 public:
  explicit InstanceMetadata(std::unique_ptr<Client> client) : client_{std::move(client)} {}

  Task<Fetched<IssuedCredential>> fetch(Deadline deadline) override {
    http::RequestHead opening = request("PUT", "/latest/api/token");
    opening.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "60");
    opening.headers.add("Content-Length", "0");
    CO_TRY(const Secret token, co_await ask(*client_, std::move(opening), kWho, deadline));
    CO_TRY(const Secret roles, co_await get(kRoles, token, deadline));
    const std::string role = roles.str().substr(0, roles.str().find_first_of("\r\n"));
    if (!is_role_name(role))
      co_return Problem{"the instance has no role"};
    CO_TRY(const Secret body, co_await get(kRoles + role, token, deadline));
    co_return parse_json_answer(body);
  }

 private:
  static constexpr const char* kWho = "the instance metadata service";
  inline static const std::string kRoles = "/latest/meta-data/iam/security-credentials/";

  static bool is_role_name(std::string_view name) {
    constexpr std::size_t kNameMax = 64;
    constexpr std::string_view kMarks = "+=,.@_-";
    return !name.empty() && name.size() <= kNameMax &&
           std::all_of(name.begin(), name.end(), [kMarks](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    kMarks.find(c) != std::string_view::npos;
           });
  }

  Task<Fetched<Secret>> get(std::string target, const Secret& token, Deadline deadline) {
    http::RequestHead head = request("GET", std::move(target));
    head.headers.add("X-aws-ec2-metadata-token", token.str());
    co_return co_await ask(*client_, std::move(head), kWho, deadline);
  }

  std::unique_ptr<Client> client_;
};

}  // namespace

bool is_trusted_without_tls(std::string_view host) {
  // Where ECS and EKS Pod Identity answer (AWS SDKs and Tools Reference Guide, "Container
  // credential provider").
  constexpr std::array<std::string_view, 3> kLinkLocal{"169.254.170.2", "169.254.170.23",
                                                       "fd00:ec2::23"};
  return is_loopback(host) || std::ranges::find(kLinkLocal, host) != kLinkLocal.end();
}

Result<std::unique_ptr<CredentialProvider>> make_web_identity(const NodeCredentialsConfig& config,
                                                              const Surroundings& surroundings) {
  const auto given_or = [&](const std::string& given, const char* name) {
    return given.empty() ? surroundings.variable(name) : given;
  };
  WebIdentity::Role role{.arn = given_or(config.role_arn, "AWS_ROLE_ARN"),
                         .session_name = config.session_name,
                         .token_file = given_or(config.token_file, "AWS_WEB_IDENTITY_TOKEN_FILE")};
  TRY(require(role.arn, "role_arn (or AWS_ROLE_ARN)"));
  TRY(require(role.token_file, "token_file (or AWS_WEB_IDENTITY_TOKEN_FILE)"));
  const std::string url =
      config.sts_endpoint.empty() ? aws_sts(config.region) : config.sts_endpoint;
  TRY(const Origin service, parse_endpoint(url));
  if (!service.endpoint.tls && !is_loopback(service.endpoint.host)) {
    TRY(refuse("sts_endpoint is not https: keys would travel in the clear"));
  }
  TRY(auto client, make_client(url, config));
  return std::make_unique<WebIdentity>(std::move(client), std::move(role));
}

Result<std::unique_ptr<CredentialProvider>> make_container(const NodeCredentialsConfig& config,
                                                           const Surroundings& surroundings) {
  const std::string relative = surroundings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string url = relative.empty()
                              ? surroundings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
                              : "http://169.254.170.2" + relative;
  TRY(require(url, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI"));
  const auto scheme = url.find("://");
  const auto path =
      url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + std::size_t{3});
  const std::string endpoint = url.substr(0, path);
  TRY(const Origin service, parse_endpoint(endpoint));
  if (!service.endpoint.tls && !is_trusted_without_tls(service.endpoint.host)) {
    TRY(refuse("the container's endpoint is neither https nor on this machine"));
  }
  TRY(auto client, make_client(endpoint, config));
  Container::Access access{
      .target = path == std::string::npos ? "/" : url.substr(path),
      .token = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
      .token_file = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")};
  return std::make_unique<Container>(std::move(client), std::move(access));
}

Result<std::unique_ptr<CredentialProvider>> make_instance_metadata(
    const NodeCredentialsConfig& config) {
  TRY(auto client, make_client(config.metadata_endpoint, config));
  return std::make_unique<InstanceMetadata>(std::move(client));
}

}  // namespace forebay::origin
