#pragma once
// Field names as other servers read them. Servers that hand fields on as variables of an
// environment (CGI, RFC 3875 section 4.1.18; Ceph's gateway does) cannot tell '-' from '_', so that
// "x_amz_acl" becomes "x-amz-acl" behind them; others fold further characters. A name that one
// server takes for a harmless one and the next for another is refused or left out. Pure.
#include <forebay/http/header_rules.hpp>
#include <forebay/http/message.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace forebay::http {

/// Fields of one request; what is done with each field must not cost more than the field.
inline constexpr std::size_t kFieldsMax = 128;
/// Metadata keys share 2 KB in S3 (User Guide, "Working with object metadata").
inline constexpr std::size_t kFieldNameMax = 4 * 1024;
inline constexpr std::size_t kFieldValueMax = 24 * 1024;

/// The name in the widest folding there is: lower case, every character but letters and digits a
/// '-'.
std::string fold_name(std::string_view name);
/// fold_name(name) == folded_name, without making it.
bool folds_to(std::string_view name, std::string_view folded_name);
/// Whether every server reads this name alike: letters, digits and '-' only.
bool is_plain_name(std::string_view name);
/// Whether a name, folded, is of a field that decides what a request means, who sends it, or where
/// it ends.
bool is_decisive(std::string_view folded_name);
/// A key of user metadata, which may hold other characters (boto3's "my_key").
bool is_metadata_name(std::string_view name);

/// What is wrong with the fields that a client sent, or nullopt: too_many_fields, field_size,
/// folded_name (a name that folds to a decisive one, or two that fold alike), repeated_field (one
/// of the fields of which a request has one at most).
std::optional<Refusal> check_names(const Headers& headers);

/// Whether a field is of another protocol or of one vendor, for what S3 signs as x-amz-* or does
/// not know: Ceph's gateway takes x-goog-meta-a for x-amz-meta-a; MinIO lets x-minio-source-etag
/// choose an object's ETag.
bool is_of_other_protocol(std::string_view name);

/// Removes the fields that servers may read as others: odd names but for metadata, and those of
/// other protocols.
void remove_ambiguous_names(Headers& headers);

}  // namespace forebay::http
