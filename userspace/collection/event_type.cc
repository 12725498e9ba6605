#include "roster/pubsub.h"

namespace roster {

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kCreated:
      return "CREATED";
    case EventType::kDeleted:
      return "DELETED";
    case EventType::kPreCreate:
      return "PRECREATE";
    case EventType::kUpdated:
      return "UPDATED";
  }
  return "CREATED";
}

EventType EventTypeFromString(std::string_view text) {
  if (text == "DELETED") return EventType::kDeleted;
  if (text == "PRECREATE") return EventType::kPreCreate;
  if (text == "UPDATED") return EventType::kUpdated;
  return EventType::kCreated;
}

}  // namespace roster
