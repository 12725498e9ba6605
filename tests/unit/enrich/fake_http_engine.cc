#include "fake_http_engine.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

// Whether `fd` became readable before `stop` did.
bool WaitReadable(int fd, int stop) {
  struct pollfd fds[] = {{fd, POLLIN, 0}, {stop, POLLIN, 0}};
  return ::poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

}  // namespace

FakeHttpEngine::FakeHttpEngine(const std::string& socket, Answer answer)
    : socket_(socket),
      answer_(std::move(answer)),
      listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (socket_.size() >= sizeof(address.sun_path)) std::abort();
  std::memcpy(address.sun_path, socket_.c_str(), socket_.size());
  ::unlink(socket_.c_str());
  if (::bind(listener_.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_.get(), 64) != 0) {
    std::abort();
  }
  thread_ = std::thread([this] { Serve(); });
}

FakeHttpEngine::~FakeHttpEngine() {
  const uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof(one)) != sizeof(one)) std::abort();
  thread_.join();
  ::unlink(socket_.c_str());
}

std::vector<std::string> FakeHttpEngine::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

std::string FakeHttpEngine::Reply(const std::string& body, const std::string& status) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

void FakeHttpEngine::Hang() {
  struct pollfd stop = {stop_.get(), POLLIN, 0};
  ::poll(&stop, 1, -1);
}

void FakeHttpEngine::HangThisOne() {
  struct pollfd ends[] = {{connection_, POLLRDHUP, 0}, {stop_.get(), POLLIN, 0}};
  ::poll(ends, 2, -1);
}

void FakeHttpEngine::Serve() {
  while (WaitReadable(listener_.get(), stop_.get())) {
    const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) ServeOne(connection.get());
  }
}

void FakeHttpEngine::ServeOne(int connection) {
  std::string request;
  // One read is a whole request: curl sends it at once, and a gRPC client its preface.
  if (!WaitReadable(connection, stop_.get())) return;
  char buffer[4096];
  const ssize_t got = ::read(connection, buffer, sizeof(buffer));
  if (got > 0) request.assign(buffer, static_cast<size_t>(got));
  std::string path;
  if (request.rfind("GET ", 0) == 0) path = request.substr(4, request.find(' ', 4) - 4);
  {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(path);
  }
  connection_ = connection;
  const std::string reply = answer_(path);
  for (size_t sent = 0; sent < reply.size();) {
    const ssize_t n = ::send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

}  // namespace roster
