#include "app/purge_client.hpp"
#include "app/serve.hpp"
#include "app/version.hpp"

#include <forebay/admin/token_file.hpp>
#include <forebay/app/cli.hpp>
#include <forebay/base/log.hpp>
#include <forebay/config/credentials.hpp>
#include <forebay/config/load.hpp>
#include <forebay/config/render.hpp>
#include <forebay/origin/credentials.hpp>

#include <optional>
#include <ostream>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

namespace forebay::app {
namespace {

constexpr int kFailed = 1;
constexpr int kWrong = 2;

struct Output {
  std::ostream& out;
  std::ostream& err;
};

struct ServeOptions {
  std::string file;
  bool check = false;
  bool print = false;
};

struct PurgeOptions {
  std::string uri;
  std::string admin;
  std::string file;
  std::string token_file;
};

/// The file's configuration, or nullopt after saying all that is wrong with it.
std::optional<config::Config> load_config(const std::string& file, Output output) {
  config::Loaded loaded = config::load(file, config::process_environment());
  for (const std::string& warning : loaded.warnings)
    output.err << "warning: " << warning << '\n';
  for (const std::string& error : loaded.errors)
    output.err << error << '\n';
  if (!loaded.errors.empty())
    return std::nullopt;
  return std::move(loaded.config);
}

/// Everything that `serve` would refuse before it opens a device or a port.
int check_config(const config::Config& config, Output output) {
  if (config.proxy.auth_mode == proxy::AuthMode::verify &&
      !origin::CredentialStore::open(config.auth.credentials_file, config::load_credentials))
    return kWrong;  // It has said why.
  if (!config.admin.token_file.empty() && !admin::read_token(config.admin.token_file))
    return kWrong;
  const MemoryVerdict memory = judge_memory(config);
  output.out << "memory that this configuration may use:\n" << memory.lines;
  if (!memory.fits) {
    output.err << "more than the control group allows\n";
    return kWrong;
  }
  output.out << "OK\n";
  return 0;
}

int run_serve(const ServeOptions& options, Output output) {
  if (options.file.empty()) {
    if (options.print) {
      output.out << config::render_config(config::Config{});
      return 0;
    }
    output.err << "forebay serve: --config FILE is required\n"
                  "Try: forebay serve --print-config > forebay.yaml\n";
    return kWrong;
  }
  const auto config = load_config(options.file, output);
  if (!config)
    return kWrong;
  if (options.print) {
    output.out << config::render_config(*config);
    return 0;
  }
  if (!log::configure(config->log))
    return kWrong;
  return options.check ? check_config(*config, output) : serve(*config);
}

int run_purge(const PurgeOptions& options, Output output) {
  const auto target = parse_purge_target(options.uri);
  if (!target) {
    output.err << fmt::format("forebay purge: \"{}\" is not s3://bucket or s3://bucket/prefix\n",
                              options.uri);
    return kWrong;
  }
  std::string admin = options.admin.empty() ? config::Config{}.admin.address : options.admin;
  std::string token_file = options.token_file;
  if (!options.file.empty()) {
    const auto config = load_config(options.file, output);
    if (!config)
      return kWrong;
    admin = config->admin.address;
    if (token_file.empty())
      token_file = config->admin.token_file;
  }
  Secret token;
  if (!token_file.empty()) {
    auto read = admin::read_token(token_file);
    if (!read)
      return kWrong;  // It has said why.
    token = std::move(read).value();
  }
  const PurgeAnswer answer = purge(admin, target.value(), token);
  if (!answer.done) {
    output.err << fmt::format("forebay purge: {}: {}\n", admin, answer.message);
    return kFailed;
  }
  output.out << fmt::format("purged {} blocks of {}\n", answer.purged, options.uri);
  if (answer.message.empty())
    return 0;
  output.err << fmt::format("forebay purge: {}: {}\n", admin, answer.message);
  return kFailed;
}

}  // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  const Output output{out, err};
  CLI::App app{"Forebay: a caching reverse proxy for S3", "forebay"};
  app.require_subcommand(1);

  ServeOptions serving;
  CLI::App* serve_command = app.add_subcommand("serve", "Run a node");
  serve_command->add_option("--config", serving.file, "YAML file")->type_name("FILE");
  serve_command->add_flag("--check-config", serving.check,
                          "Say what is wrong with the file, or how much memory it may use");
  serve_command->add_flag("--print-config", serving.print,
                          "Print every key with its help: the defaults, or the file's values");

  PurgeOptions purging;
  CLI::App* purge_command = app.add_subcommand("purge", "Make a node forget what it has cached");
  purge_command->add_option("uri", purging.uri, "s3://bucket/prefix")->required();
  auto* admin_option = purge_command->add_option(
      "--admin", purging.admin, "Where the node's listen.admin is (127.0.0.1:9001)");
  admin_option->type_name("HOST:PORT");
  purge_command->add_option("--config", purging.file, "The node's configuration, instead")
      ->type_name("FILE")
      ->excludes(admin_option);
  purge_command
      ->add_option("--token-file", purging.token_file,
                   "The node's listen.admin_token_file, where --config does not say")
      ->type_name("FILE");

  CLI::App* version_command = app.add_subcommand("version", "Say which build this is");

  // For whoever changes the schema; an empty group hides it from the help.
  CLI::App* docs_command = app.add_subcommand("docs", "Print a generated page")->group("");
  CLI::App* reference_command = docs_command->add_subcommand("configuration");
  docs_command->require_subcommand(1);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error, out, err);
    err << "forebay: " << error.what() << "\nTry: forebay --help\n";
    return kWrong;
  }
  if (serve_command->parsed())
    return run_serve(serving, output);
  if (purge_command->parsed())
    return run_purge(purging, output);
  if (reference_command->parsed())
    out << config::render_reference();
  if (version_command->parsed())
    out << version_text();
  return 0;
}

}  // namespace forebay::app
