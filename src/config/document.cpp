#include "config/document.hpp"

#include <exception>
#include <istream>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace forebay::config {
namespace {

/// yaml-cpp counts from 0.
Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

Node node_at(const YAML::Mark& mark, Node::Kind kind) {
  Node node;
  node.kind = kind;
  node.place = place_of(mark);
  return node;
}

/// Builds the tree from the parser's events: its own tree loses the duplicates.
class Builder final : public YAML::EventHandler {
 public:
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(node_at(mark, Node::Kind::null));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    Node scalar = node_at(mark, Node::Kind::scalar);
    scalar.text = value;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(node_at(mark, Node::Kind::list));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(node_at(mark, Node::Kind::map));
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map whose end has not come yet, and the key that waits for its value.
  struct Open {
    Node node;
    Node key;
    bool has_key = false;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      throw SyntaxError{place_of(mark), "anchors and aliases are not supported"};
  }

  void open(Node node) { open_.push_back({.node = std::move(node), .key = {}}); }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.entries.push_back({std::move(parent.key), std::move(node)});
      parent.has_key = false;
    }
  }

  std::vector<Open> open_;
  Node root_;
};

/// Reads a text where it lies: a std::istringstream would keep a copy of what may hold secrets.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    // Nothing is written through it: put-back moves the pointer alone.
    char* const begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

/// Some messages end in what was found, after a colon; that may be a piece of a secret.
std::string without_quote(const std::string& message) {
  return message.substr(0, message.find(':'));
}

}  // namespace

std::variant<Node, SyntaxError> parse_document(std::string_view text) {
  if (text.size() > kDocumentSizeMax)
    return SyntaxError{{}, "too large for a configuration"};
  TextBuffer buffer{text};
  std::istream stream{&buffer};
  Builder builder;
  try {
    YAML::Parser parser{stream};
    parser.HandleNextDocument(builder);
    Node root = builder.take();
    if (parser.HandleNextDocument(builder))
      return SyntaxError{builder.take().place, "a second document; one is allowed"};
    return root;
  } catch (const SyntaxError& error) {
    return error;
  } catch (const YAML::Exception& error) {
    const Place place = error.mark.is_null() ? Place{} : place_of(error.mark);
    return SyntaxError{place, "not valid YAML: " + without_quote(error.msg)};
  }
}

}  // namespace forebay::config
