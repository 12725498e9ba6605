#include "enrich/unix_http.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "enrich/json_fields.h"
#include "text/quote.h"

namespace roster {
namespace {

struct Reply {
  std::string body;
  size_t limit = 0;
  bool too_large = false;
};

size_t Append(char* data, size_t size, size_t count, void* to) {
  auto* reply = static_cast<Reply*>(to);
  const size_t bytes = size * count;
  if (bytes > reply->limit - reply->body.size()) {
    reply->too_large = true;
    return 0;  // ends the transfer
  }
  reply->body.append(data, bytes);
  return bytes;
}

std::string Where(const EngineClientOptions& options, const std::string& path) {
  return absl::StrCat("GET ", path, " from ", options.socket);
}

absl::Status TransferError(CURLcode code, const Reply& reply, const EngineClientOptions& options,
                           const std::string& where) {
  if (reply.too_large) {
    return absl::DataLossError(
        absl::StrCat(where, ": reply is over the limit of ", options.max_reply_bytes, " bytes"));
  }
  const std::string message = absl::StrCat(where, ": ", curl_easy_strerror(code));
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return absl::UnavailableError(message);
    default:
      return absl::DataLossError(message);
  }
}

absl::Status ReplyError(long status, const std::string& body, const std::string& where) {
  const absl::StatusOr<nlohmann::json> json = ParseForeignJson(body, "reply");
  const std::string said = json.ok() ? StringMember(*json, "message") : "";
  const std::string message =
      absl::StrCat(where, ": HTTP ", status, " ", QuoteForMessage(said.empty() ? body : said, 200));
  if (status == 404) return absl::NotFoundError(message);
  if (status >= 500) return absl::UnavailableError(message);
  if (status >= 400) return absl::FailedPreconditionError(message);
  return absl::DataLossError(message);
}

bool HasCurl() {
  static const bool has = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return has;
}

}  // namespace

absl::StatusOr<std::string> HttpGet(const EngineClientOptions& options, absl::Time deadline,
                                    const std::string& path) {
  const std::string where = Where(options, path);
  if (!HasCurl()) {
    return absl::FailedPreconditionError(absl::StrCat(where, ": there is no libcurl"));
  }
  // Zero would be no limit at all to curl, which counts in whole milliseconds.
  const absl::Duration left = std::min(deadline - absl::Now(), options.timeout);
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
  if (milliseconds <= 0) return absl::UnavailableError(absl::StrCat(where, ": no time is left"));
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  if (curl == nullptr) return absl::ResourceExhaustedError(absl::StrCat(where, ": no memory"));
  Reply reply{.limit = options.max_reply_bytes};
  const std::string url = absl::StrCat("http://localhost", path);
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, options.socket.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");  // not the environment's
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::min<int64_t>(milliseconds, INT32_MAX)));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return TransferError(code, reply, options, where);
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return ReplyError(status, reply.body, where);
  return std::move(reply.body);
}

std::string EscapeForUrl(std::string_view text) {
  std::string escaped;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '~' || c == '-') {
      escaped += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", c);
    }
  }
  return escaped;
}

}  // namespace roster
