// libcurl, loaded when an engine's HTTP interface is first asked. It brings thirty libraries, of
// which a unix socket needs none: linked, they would be most of the time of a `roster list`, which
// asks no engine, and part of a daemon's memory on hosts without Docker and Podman.
//
// These are the functions of libcurl's interface that the library `roster` calls; the program's
// definitions are found before the shared library's, which is then not linked.
#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>

#include "log/log.h"

// The header makes macros of them, which check the types of the arguments.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace {

void* Library() {
  static void* const library = [] {
    // "4" is libcurl's ABI since 2006.
    void* loaded = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) {
      roster::LogError("engines' HTTP interfaces (Docker, Podman) cannot be asked",
                       {{"error", dlerror()}});
    }
    return loaded;
  }();
  return library;
}

// libcurl's own function of this name and type; nullptr without libcurl.
template <typename Function>
Function* Theirs(Function* /*type*/, const char* name) {
  return Library() == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(Library(), name));
}

// Every option that is set, and every piece of information that is asked for, is a pointer or a
// long: both are passed alike on the platforms that Roster runs on.
static_assert(sizeof(long) == sizeof(void*));

}  // namespace

CURLcode curl_global_init(long flags) {
  static auto* const theirs = Theirs(&curl_global_init, "curl_global_init");
  return theirs == nullptr ? CURLE_FAILED_INIT : theirs(flags);
}

CURL* curl_easy_init() {
  static auto* const theirs = Theirs(&curl_easy_init, "curl_easy_init");
  return theirs == nullptr ? nullptr : theirs();
}

// The rest is called with a handle only, which there is not without libcurl.
void curl_easy_cleanup(CURL* curl) {
  static auto* const theirs = Theirs(&curl_easy_cleanup, "curl_easy_cleanup");
  theirs(curl);
}

CURLcode curl_easy_setopt(CURL* curl, CURLoption option, ...) {
  static auto* const theirs = Theirs(&curl_easy_setopt, "curl_easy_setopt");
  va_list arguments;
  va_start(arguments, option);
  void* const value = va_arg(arguments, void*);
  va_end(arguments);
  return theirs(curl, option, value);
}

CURLcode curl_easy_perform(CURL* curl) {
  static auto* const theirs = Theirs(&curl_easy_perform, "curl_easy_perform");
  return theirs(curl);
}

CURLcode curl_easy_getinfo(CURL* curl, CURLINFO info, ...) {
  static auto* const theirs = Theirs(&curl_easy_getinfo, "curl_easy_getinfo");
  va_list arguments;
  va_start(arguments, info);
  void* const value = va_arg(arguments, void*);
  va_end(arguments);
  return theirs(curl, info, value);
}

const char* curl_easy_strerror(CURLcode code) {
  static auto* const theirs = Theirs(&curl_easy_strerror, "curl_easy_strerror");
  return theirs(code);
}
